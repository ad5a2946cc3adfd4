/** Questions that name a case without a line of CRIU's, the log that a command line means, and what stands beside a fault. */
import { expect, test } from "bun:test";
import { logReader } from "../../src/explain/log.ts";
import { logNamed, logOfCommand, withLog } from "../../src/explain/runtimes.ts";

const read = (text: string) => {
  const reader = logReader();
  reader.feed(Buffer.from(text));
  return reader.end();
};

test("a check that did not fail answers no question of a dump, and a log of CRIU's says more", () => {
  const user = read(
    "> Looks good but some kernel features are missing\ncriu cannot dump as a normal user",
  );
  expect([user.way, user.succeeded]).toEqual(["check", true]);
  expect(user.said?.cause).toContain("what an ordinary user may");
  const stuck =
    "Warn  (cr-check.c:582): Dirty tracking is OFF. Memory snapshot will not work.\ncriu dump hangs";
  expect(read(stuck).said?.cause).toContain("does not make it wait");
  expect(read(stuck).explanation).toBeUndefined();
  expect(read("(00.01) Parasite syscall_ip at 0xb\ncriu dump hangs").said).toBeUndefined();
  expect(read("Looks good.").said).toBeUndefined();
});

test("what decides between entries of others' words may stand behind them", () => {
  const open = "jdk.crac.impl.CheckpointOpenSocketException: tcp6 localAddr :: localPort 80";
  const set = "spring.context.checkpoint=onRefresh # application.properties";
  for (const text of [`${open}\n${set}`, `${set}\n${open}`])
    expect(read(text).said?.cause).toContain("property of the JVM");
  expect(read(open).said?.cause).not.toContain("Spring");
});

test("a question is answered by the case that it names, where nothing says more", () => {
  for (const [text, cause] of [
    ["criu dump fails with io_uring", "io_uring"],
    ["cannot dump processes with io_uring handles", "io_uring"],
    ["pre-dump with the cuda plugin fails", "cuda plugin"],
    ["$ docker pause one\n$ docker checkpoint create one c\nit hangs", "paused"],
    ["$ criu restore -d\noom_kill_process+0xd1\nelf_core_dump+0x9c6", "its core file"],
    ["$ criu restore -d\nMemory cgroup out of memory: Killed process 7 (a)", "no memory left"],
    ["$ criu restore -d\n[1.2] traps: a[7] trap invalid opcode ip:1", "an instruction"],
    [
      "$ criu restore -D d -j\nit exits with no error message, and the program is gone",
      "ended or crashed then",
    ],
    ["$ criu restore -d\na[7]: segfault at 0 ip 1 sp 2 error 4 in libc.so.6", "crashed"],
    [
      "$ criu dump -t 7\nINFO: task criu:7 blocked for more than 120 seconds.",
      "waits in the kernel",
    ],
  ] as const)
    expect([text, read(text).said?.cause]).toEqual([text, expect.stringContaining(cause)]);
  const more = read(
    "$ docker pause one\n$ docker checkpoint create one c\nit hangs\nError (criu/tun.c:1): tun: Can't attach tunfile to device: Invalid argument",
  );
  expect([more.said, more.cause?.file]).toEqual([undefined, "criu/tun.c"]);
});

test("words that others have as well are no such question", () => {
  for (const text of [
    "LOG:  checkpoint complete: wrote 3 buffers; io_uring enabled",
    "$ docker pause one\nit hangs",
    "error: io_uring_setup: Operation not permitted",
    "cuda error: out of memory",
    "a[7]: segfault at 0 ip 1 sp 2 error 4 in libc.so.6",
    "$ criu restore -D d -d\nit exits with no error message, and the program is gone",
    "LOG:  checkpoint starting: time\nMemory cgroup out of memory: Killed process 7 (postgres)",
  ])
    expect([text, read(text).said?.cause]).toEqual([text, undefined]);
});

test("the log is where the command line that is shown has its --work-path, where that is whole", () => {
  const id = "4ba0864fec064b25";
  const kept = `/var/lib/containers/storage/overlay-containers/${id}/userdata`;
  for (const [text, path] of [
    ["runc checkpoint --work-path ./work-dir one (status=1):", "work-dir/dump.log"],
    ["runc --root /r restore --work-path=/tmp/w one", "/tmp/w/restore.log"],
    [`running "/usr/bin/runc" ["checkpoint" "--work-path" "${kept}" "one"]`, `${kept}/dump.log`],
    // Cut within it; but CRI-O and Podman keep the images below it.
    [`runc checkpoint --work-path ${kept.slice(0, -4)}`, undefined],
    [
      `"checkpoint" "--image-path" "${kept}/checkpoint" "--work-path" "/var/lib/co`,
      `${kept}/dump.log`,
    ],
    ["runc run --work-path /tmp/w one", undefined],
    ["checkpoint --work-path --leave-running one", undefined],
  ] as const)
    expect([text, logOfCommand(text)]).toEqual([text, path]);
  // A path that is named goes before, and a command of which nothing failed means none.
  const named = "criu failed: type NOTIFY errno 0\nlog file: /tmp/other/restore.log";
  expect(read(`# runc restore --work-path /tmp/w one\n${named}`).named).toBe(
    logNamed("log file: /tmp/other/restore.log"),
  );
  expect(read("$ runc checkpoint --work-path /tmp/w one").named).toBeUndefined();
  expect(read("$ runc checkpoint --work-path /tmp/w one\ncriu failed").named).toBe(
    "/tmp/w/dump.log",
  );
  // A line that says why wants no log.
  const busy = "Error (criu/tun.c:1): tun: Can't attach tunfile to device: Device or resource busy";
  expect(read(`$ runc checkpoint --work-path /tmp/w one\nError: "${busy}"`).named).toBeUndefined();
  // Of a hostile line it takes no longer than its length.
  const began = performance.now();
  logOfCommand("checkpoint --work-path ".repeat(20_000));
  logOfCommand(`checkpoint ${"/overlay-containers/a".repeat(20_000)}`);
  expect(performance.now() - began).toBeLessThan(2000);
});

test("a path below a directory stands in the remedy, a bare name does not", () => {
  const { said } = read("criu failed: type NOTIFY errno 0");
  expect(withLog(said, "work-dir/dump.log")?.remedy).toStartWith(
    "recriu explain work-dir/dump.log",
  );
  expect(withLog(said, "dump.log")?.remedy).toStartWith("recriu explain LOG");
});

test("no remedy writes over a file of settings", async () => {
  const { entries } = await import("../../src/explain/entries/index.ts");
  const over = entries().filter(({ remedy }) =>
    /(?:^|[^>\d&-])>\s*\/(?:etc|root|home|usr|var)\/|\btee (?!-a)\S{0,40}\/etc\/|\b(?:cp|mv) \S{1,80} \/etc\//.test(
      remedy,
    ),
  );
  expect(over.map(({ remedy }) => remedy)).toEqual([]);
  // Of a setting of many lines, as LXD's raw.lxc, a command that sets it takes away what stood there.
  const { engines } = await import("../../src/explain/engines.ts");
  const replaced = /\b(?:lxc|incus) config set \S{1,40} raw\.\w/;
  const remedies = [...entries().map(({ remedy }) => remedy), JSON.stringify(engines)];
  expect(remedies.filter((remedy) => replaced.test(remedy))).toEqual([]);
});

test("faults that a release mended are told by what stands beside them", () => {
  const told = (text: string) => {
    const { explanation, said } = read(text);
    return `${(explanation ?? said)?.cause} ${(explanation ?? said)?.remedy}`;
  };
  const failed = "(00.4) Error (criu/cr-restore.c:2320): Restoring FAILED.";
  const locked = "Error (criu/net.c:3256): net: Locking network failed using nftables";
  expect(
    told(
      `(00.3) internal:0:0-0: Error: Could not process rule: File exists\n(00.3) ${locked}\n${failed}`,
    ),
  ).toContain("CRIU 4.2 or later for the restore");
  expect(told(`(00.3) ${locked}\n${failed}`)).not.toContain("4.2");
  expect(told("(00.3) Error (cr-restore.c:1227): BUG at cr-restore.c:1227")).toContain("CRIU 3.3");
  const tables = "(00.1) Error (netfilter.c:88): Iptables configuration failed: Success";
  expect(told(`(00.1) Error (util.c:660): exited, status=4\n${tables}`)).toContain("2.4 or later");
  expect(told(tables)).not.toContain("2.4 or later");
  const of = (file: string, message: string) =>
    told(`(00.1) Error (${file}): ${message}\n${failed}`);
  const kmem = "cg: Failed writing 1 to memory//a/memory.kmem.limit_in_bytes";
  expect(of("criu/cgroup.c:10", `${kmem}: Operation not supported`)).toContain("3.18 or later");
  expect(of("criu/cgroup.c:10", `${kmem}: Device or resource busy`)).not.toContain("3.18");
  const bind = "netlink: Can't bind netlink socket: Address already in use";
  expect(of("criu/sk-netlink.c:227", bind)).toContain("3.15 or later");
  expect(of("criu/sk-netlink.c:231", bind)).not.toContain("3.15");
  const overflow = "*** buffer overflow detected ***: terminated";
  expect(told(`Run zdtm/static/unlink_regular00 in ns\nRun criu dump\n${overflow}`)).toContain(
    "4.1 or later",
  );
  expect(told(`Run criu dump\n${overflow}`)).not.toContain("4.1");
  // The line of one development version, and pidfds; without either it is any death.
  const killed = (line: number) =>
    `(00.5)    168: Error (criu/cr-restore.c:${line}): 175 killed by signal 9: Killed\n${failed}`;
  expect(told(`test pidfd_dead\n${killed(1261)}`)).toContain("CRIU 4.1 or later");
  expect(told(killed(1261))).not.toContain("4.1");
  expect(told(`test pidfd_dead\n${killed(1262)}`)).not.toContain("4.1");
});
