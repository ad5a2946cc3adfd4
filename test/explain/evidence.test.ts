/** What a paste shows beside the words of an error: the thing in hand, the version, the source's line, how CRIU was called. */
import { expect, test } from "bun:test";
import { bugIn } from "../../src/explain/bugs.ts";
import { entries, explain } from "../../src/explain/index.ts";
import { read, told } from "./reading.ts";

test("an assertion is told by its function, in whatever directory it was built, and by the releases with that line", () => {
  expect(bugIn("BUG at criu/mem.c:44")).toEqual({
    name: "task_reset_dirty_track",
    releases: "3.5 to 3.15",
  });
  expect(bugIn("sk unix: BUG at /home/a/criu/criu/sk-unix.c:614")?.name).toBe("unix_collect_one");
  expect(bugIn("BUG at criu/mem.c:43")?.releases).toBe("3.0 to 3.4");
  for (const none of ["BUG at criu/mem.c:1", "BUG at other/mem.c:4x", "BUG", "BUG at ../x:44"])
    expect([none, bugIn(none)]).toEqual([none, undefined]);
  expect(explain("BUG at criu/mem.c:44", { file: "criu/mem.c" })?.remedy).toContain("--track-mem");
  // A place that no release has is a bug, too.
  expect(explain("BUG at criu/mem.c:1", { file: "criu/mem.c" })?.cause).toContain("impossible");
});

test("a fault that a later release mended is told of those that have it: by the version, else by the source's line", () => {
  const cause = (version: string | undefined, line: number) =>
    read(
      `${version === undefined ? "" : `(00.000001) Version: ${version} (gitid 0)\n`}(00.1) Error (criu/sk-unix.c:${line}): unix: Can't find sender for 0x1e\n`,
    ).explanation?.cause;
  const mended = expect.stringContaining("before 3.18");
  const other = expect.stringContaining("do not go together");
  expect(cause("3.17.1", 1)).toEqual(mended);
  expect(cause("3.18", 1040)).toEqual(other);
  expect(cause("4.2", 1105)).toEqual(other);
  expect(cause(undefined, 1040)).toEqual(mended);
  expect(cause(undefined, 1105)).toEqual(other);
  const explanation = explain("unix: Can't find sender for 0x1e", {
    file: "criu/sk-unix.c",
    line: 1040,
  });
  expect(explanation?.since).toBe("3.18");
  expect(entries().filter((entry) => entry.mended !== undefined).length).toBeGreaterThan(3);
});

test("older faults are told of old releases by the same words that mean something else of later ones", () => {
  const cases: readonly [file: string, message: string, fixed: string][] = [
    ["criu/cr-restore.c", "Pid 300 do not match expected 32768", "2.3"],
    ["criu/sk-queue.c", "Control messages in queue, not supported", "3.6"],
    ["criu/parasite-syscall.c", "Can't retrieve FDs from socket", "2.1"],
    ["criu/ipc_ns.c", "Failed to restore sem id (0 instead of 65536)", "1.8"],
    ["criu/cgroup.c", "cg: Can't move into blkio/a/tasks (-1/-1): Permission denied", "1.8"],
    ["criu/sk-unix.c", "unix: Can't connect 0x947c4 socket: Connection refused", "1.6.1"],
    ["criu/net.c", "net: Can't get index of veth69A67O: No such device", "2.8"],
  ];
  for (const [file, message, fixed] of cases) {
    const since = (version: string) => explain(message, { file, version })?.since;
    expect([message, since("1.5"), since("4.2") === fixed]).toEqual([message, fixed, false]);
  }
});

test("the lines around an error name what CRIU had in hand, of the same task and of a source that has to do with it", () => {
  const names = (text: string) => read(text).objects;
  const files = "(00.3) Error (criu/cr-dump.c:1850): Dump files (pid: 7) failed with -1\n";
  const fdinfo = "(00.1) 7 fdinfo 6: pos: 0 flags: 2/0\n";
  const socket = "(00.2) sockets: Searching for socket 0x346d1 family 1\n";
  expect(names(fdinfo + socket + files)).toEqual([
    "descriptor 6",
    "the socket of inode 0x346d1, of family 1: a Unix socket",
  ]);
  // What the dump failed at later is no file.
  expect(
    names(`${fdinfo}(00.3) Error (criu/cr-dump.c:9): Dump core (pid: 7) failed with -1\n`),
  ).toEqual([]);
  expect(
    names(`${fdinfo}(00.3) Error (criu/net.c:9): net: Can't dump nested net namespace for 7\n`),
  ).toEqual([]);
  const link = (task: number) =>
    `(00.1)      ${task}: Restoring link br0 type 6\n(00.2)      1: Error (criu/libnetlink.c:54): -95 reported by netlink: Operation not supported\n`;
  expect(names(link(1))).toEqual(["the network device br0 (kind 6: bridge)"]);
  expect(names(link(2))).toEqual([]);
  expect(
    names(
      "(00.1)      5: Error (criu/tty.c:1006): tty: Can't get self_stdin_fdid\n(00.2)      5: Error (criu/files.c:1192): Unable to open fd=0 id=0x8\n",
    ),
  ).toEqual(["descriptor 0 (id 0x8)"]);
  expect(told(fdinfo + socket + files)).toContain("name descriptor 6; the socket of inode 0x346d1");
});

test("how CRIU was called decides between reasons, and only where it is shown", () => {
  const denied =
    "Error (criu/proc_parse.c:650): Can't open 17577's mapfile link 400000: Operation not permitted\n";
  const remedy = (text: string) => read(text).explanation?.remedy;
  expect(remedy(`[a@b c]$ criu dump -t 17577\n${denied}`)).toStartWith("sudo criu …: it was typed");
  for (const command of ["[a@b c]# criu dump -t 1", "a@b:~$ sudo criu dump -t 1", ""])
    expect([command, remedy(`${command}\n${denied}`)]).toEqual([
      command,
      expect.not.stringContaining("prompt"),
    ]);
  // Of what is not denied it says nothing.
  expect(
    remedy(
      "$ criu restore -D x\nError (criu/tun.c:1): tun: Can't attach tunfile: Invalid argument\n",
    ),
  ).not.toContain("prompt");
  const page = "Error (util.c:780): Can't read pme for pid 14: Bad address\n";
  expect(remedy(`sudo unshare -p --fork\n${page}`)).toContain("that is shown");
  expect(remedy(`sudo unshare -p --fork --mount-proc\n${page}`)).not.toContain("that is shown");
});

test("a dump and a restore that are both shown have to agree", () => {
  const error = "Error (criu/tty.c:900): tty: Don't have tty to inherit session from, aborting\n";
  const remedy = (dump: string, restore: string, said = error) =>
    read(`# criu dump -t 7 ${dump}\n# criu restore ${restore}\n${said}`).explanation?.remedy;
  expect(remedy("-j", "-d")).toStartWith("--shell-job for the restore: the dump");
  expect(remedy("-j", "--shell-job -d")).not.toContain("that is shown");
  expect(remedy("", "-d")).not.toContain("that is shown");
  // Of what has nothing to do with it nothing is said.
  expect(remedy("--file-locks -j", "-j")).not.toContain("that is shown");
  const missing =
    "Error (criu/image.c:1): Unable to open inventory.img: No such file or directory\n";
  expect(remedy("-D a", "-D b", missing)).toStartWith("-D with the directory of the dump");
  expect(remedy("-D a", "--images-dir=a", missing)).not.toContain("are shown");
});

test("a prompt in a container, and the kernel of WSL, are told where they account for it", () => {
  const denied =
    "Error (criu/proc_parse.c:650): Can't open 7's mapfile link 400000: Operation not permitted\n";
  const remedy = (text: string) => read(text).explanation?.remedy;
  expect(remedy(`root@0123456789ab:/# criu dump -t 7\n${denied}`)).toContain("--privileged, for a");
  expect(remedy(`root@host:/# criu dump -t 7\n${denied}`)).not.toContain("--privileged, for a");
  // What the container has already is no advice, or the last.
  const run = "docker run \\\n    --privileged img\n";
  expect(remedy(`${run}root@0123456789ab:/# criu dump -t 7\n${denied}`)).not.toContain(
    "--privileged, for a",
  );
  const readOnly =
    "Error (criu/cr-restore.c:1325): Can't open -1/sys/kernel/ns_last_pid on procfs: Read-only file system\n";
  const advice =
    "in a container: --privileged (docker and podman run, or securityContext.privileged: true of a pod's), which takes its protection away";
  expect(remedy(run + readOnly)).toEndWith(advice);
  expect(remedy(readOnly)).not.toEndWith(advice);
  const wsl = "(00.000030) Running on pc Linux 5.10.16.3-microsoft-standard-WSL2 #1 SMP\n";
  const lack =
    "(00.1) Error (criu/proc_parse.c:1): Can't open 7/task/7/children on procfs: No such file or directory\n";
  expect(remedy(wsl + lack)).toContain("WSL 2");
  expect(remedy(lack)).not.toContain("WSL 2");
});

test("CRIU's lines without a time are its log; one that tells what was refused is told where nothing else is", () => {
  const debug = " 19688: Debug: \tSetting 1 queue seq to 3907549365\n";
  expect(read(debug).kind).toBe("log");
  const refused =
    "(00.066967)      1: uffd: Lazy pages are not available: Operation not permitted\n";
  expect(told(refused)).toContain("vm.unprivileged_userfaultfd=1");
  expect(read(refused).explanation).toBeUndefined();
  // A success, or an error, makes it of no account.
  expect(told(`${refused}(00.1) Restore finished successfully. Tasks resumed.\n`)).not.toContain(
    "userfaultfd",
  );
  expect(
    told(`${refused}(00.1) Error (criu/net.c:568): net: Unsupported link 4 (type 1 kind erspan)\n`),
  ).not.toContain("userfaultfd");
});

test("of a log without an error its last line is told, where CRIU may hang, and of no other", () => {
  const log = "(00.1) Set up parasite blob using memfd\n(00.2) Putting tsock into pid 15917\n";
  expect(told(log)).toContain("its last line: (00.2) Putting tsock into pid 15917");
  expect(told(`${log}(00.3) Dumping finished successfully\n`)).not.toContain("its last line");
  expect(told(`${log}(00.3) Error (criu/cr-dump.c:1): Dumping FAILED.\n`)).not.toContain(
    "its last line",
  );
});

test("of lines without times each error of another source is told, of a log with times the first alone, and no caller's", () => {
  const one = (time: string) =>
    `${time}Error (criu/sk-inet.c:189): inet: Connected TCP socket, consider using --tcp-established option.\n`;
  const lock = (time: string) =>
    `${time}Error (criu/sk-tcp.c:77): tcp: Failed to lock TCP connection 10d51d13\n`;
  expect(read(one("") + lock("")).besides).toMatchObject([{ check: "net-tools-missing" }]);
  expect(told(one("") + lock(""))).toContain("another error behind it");
  expect(read(one("(00.1) ") + lock("(00.2) ")).besides).toEqual([]);
  const caller = "Error (criu/cr-dump.c:1): Can't infect (pid: 7) with parasite\n";
  expect(read(one("") + caller).besides).toEqual([]);
  const outside = "1: Error (criu/net.c:2468): Unable to find an external netns: extRootNetNS\n";
  const unshared =
    "1: Error (criu/cr-restore.c:1827): Can't unshare net-namespace: No such file or directory\n";
  expect(read(unshared).explanation).toBeDefined();
  expect(read(outside + unshared).besides).toEqual([]);
});

test("a number of a line stands in a remedy in the base of the option or command", () => {
  const error = (mount: string) =>
    `Error (criu/files-reg.c:1790): Can't lookup mount=${mount} for fd=0 path=/srv/a`;
  expect(told(error("24"))).toContain("'file[18:INODE]'");
  expect(told(error("x"))).not.toContain("file[18");
  const watch = (inode: string) =>
    `Error (fsnotify.c:214): fsnotify: Can't open file handle for 0x2b:0x${inode}: Stale file handle`;
  expect(told(watch("00000000004d5e1c"))).toContain("-inum 5070364");
  expect(told(watch("f".repeat(40)))).toContain("-inum INODE_DEC");
});

test("lines that a log ends with again and again are a loop, others are none; a last line of the look at the kernel is told as that", () => {
  const round = (at: number) =>
    `(00.${at}1) Waiting for 7 to trap\n(00.${at}2) 7 was not trapped\n`;
  expect(read(round(1) + round(2) + round(3)).loop).toHaveLength(2);
  expect(told(`${round(1)}${round(2)}${round(3)}\n\`\`\`\n`)).toContain("again and again");
  expect(read(round(1) + round(2)).loop).toEqual([]);
  expect(read(`${round(1)}${round(2)}${round(3)}(00.9) Unlock network\n`).loop).toEqual([]);
  const probing = "(00.1) Version: 3.17 (gitid 0)\n(00.2) Found task size of 7ffffffff000\n";
  expect(told(probing)).toContain("strace -f criu check");
  expect(told(`${probing}(00.3) Dumping processes (pid: 7)\n`)).not.toContain("strace -f");
});

test("names that the audit log writes in hexadecimal are read", () => {
  const denial = (path: string) =>
    `avc: denied { connectto } for pid=7 comm="top" path=${path} scontext=a tcontext=b tclass=unix_stream_socket permissive=0`;
  const hex = (name: string) => Buffer.from(name).toString("hex").toUpperCase();
  expect(told(denial(hex("\0/crtools-pr-23619")))).toContain("SELinux does not let CRIU's code");
  expect(read(denial(hex("\0/tmp/dbus-1"))).kind).toBe("none");
  // What cannot be printed stays out.
  expect(told(denial(hex("\0/crtools-pr-\u001b[31m\u0007")))).not.toContain("\u001b");
});

test("another copy, a limit and a right are advised where the errno leaves them", () => {
  const remedy = (message: string, file: string) => explain(message, { file })?.remedy;
  const image = (errno: string) => remedy(`Unable to open core-1.img${errno}`, "criu/image.c");
  expect(image(": Input/output error")).not.toContain("copy");
  expect(remedy("Magic doesn't match for core-1.img", "criu/image.c")).toContain("sha256sum");
  const pipe = (errno: string) => remedy(`Can't create pipe: ${errno}`, "criu/pipes.c");
  expect(pipe("Cannot allocate memory")).toContain("free -m");
  expect(pipe("Invalid argument")).not.toContain("free -m");
  const tunnel = (errno: string) => remedy(`tun: Can't attach tunfile: ${errno}`, "criu/tun.c");
  expect(tunnel("Operation not permitted")).toContain("CAP_NET_ADMIN");
  expect(tunnel("No such device")).not.toContain("CAP_NET_ADMIN");
});

test("a look for the old iptables, behind which CRIU goes on, is no cause", () => {
  const looked = [
    "(00.06) iptables has nft backend: iptables-save v1.8.8 (nf_tables)",
    'Error (criu/util.c:626): execvp("iptables-legacy-save", ...) failed: No such file or directory',
    "(00.07) Error (criu/util.c:641): exited, status=1",
    "(00.08) Error (criu/util.c:1566): iptables-legacy-save -V failed",
  ].join("\n");
  const tty = "(00.09) Error (criu/tty.c:1): tty: Don't have tty to inherit session from, aborting";
  expect(read(`${looked}\n${tty}`).cause?.file).toBe("criu/tty.c");
  expect(told(`${looked}\n(00.1) Dumping finished successfully`)).toContain("the dump succeeded");
  const needed =
    '(00.09) Error (criu/util.c:626): execvp("iptables-restore", ...) failed: No such file';
  expect(read(`${looked}\n${needed}`).explanation?.check).toBe("net-tools-missing");
});

test("the lines of a namespace without routes, and of a bind mount, say what an error of many means", () => {
  const save = "(00.08) Error (criu/net.c:1735): IP tool failed on route save\n";
  const ip = "(00.07) \tRunning ip route save\nError: ipv4: FIB table does not exist.\n";
  expect(read(ip + save).explanation?.remedy).toContain("ip link set lo up");
  expect(read(save).explanation?.remedy).not.toContain("lo up");
  const mount = "(00.03) Error (criu/mount.c:2400): mnt: Can't mount at ./b: Invalid argument\n";
  expect(read(`(00.02) mnt:     Bind /a to /b\n${mount}`).explanation?.cause).toContain(
    "unbindable",
  );
  expect(read(mount).explanation?.cause).not.toContain("unbindable");
});

test("what CRIU's tests in Python raise of themselves is no subject of CRIU's", () => {
  const raised = "OSError: [Errno 17] File exists: 'dump/x'";
  const by = (script: string) =>
    read(`criu restore:\nTraceback:\n  File "${script}", line 2\n${raised}\n`);
  expect(by("./zdtm.py").lead).toBeUndefined();
  expect(by("./zdtm.py").speaker?.name).toContain("CRIU's own tests");
  expect(by("/usr/bin/criu-restore-my.py").lead?.line).toBe(raised);
});
