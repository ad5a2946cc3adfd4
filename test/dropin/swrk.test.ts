/** `criu swrk`, as container runtimes and libcriu call it. */
import { startDumped } from "../restore/stage/dumped.ts";
import { expect, test } from "bun:test";
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { message, required } from "../../src/image/schema.ts";
import { encode } from "../../src/image/wire.ts";
import {
  alive,
  criu,
  descendants,
  dump,
  hierarchies,
  killTree,
  makeCgroup,
  openStage,
  ownProgram,
  run,
  start,
} from "../restore/stage.ts";
import { is317 } from "../restore/criu.ts";
import { dumpX11 } from "../restore/x11.ts";
import { link } from "./as-criu.ts";
import { ask, request, RESTORE, restore, VERSION } from "./rpc.ts";

/** Of a tree whose images are edited: a CRIU before 3.19 cannot be held by a request, and gets none of those. */
const held = test.skipIf(is317);

held(
  "a restore of a runtime's: repaired, gated, the tree is the runtime's child, its notifications come",
  async () => {
    await using stage = openStage();
    const { pid, images, sockets } = await dumpX11(stage, []);
    rmSync(sockets, { recursive: true });
    const bare = await ask(stage, images, restore(), { program: criu });
    expect(bare.answer).toMatchObject({ success: false });

    const { answer, log, exit, stdout, stderr } = await ask(
      stage,
      images,
      restore({ notify_scripts: true }),
    );
    expect(answer).toMatchObject({ type: RESTORE, success: true, restore: { pid } });
    expect(exit).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toMatch(new RegExp(`^notified [3-9] children ${pid} \n$`));
    expect(existsSync(join(sockets, "X7"))).toBe(true);
    expect(log).toMatch(/Running post-restore scripts\n.*RPC\n.*\[\/proc\/\d+\/fd\/\d+\]/);
  },
);

test("a log's name that CRIU refuses is written to by nobody", async () => {
  await using stage = openStage();
  const { pid, images, sockets } = await dumpX11(stage, []);
  rmSync(sockets, { recursive: true });
  await start(stage, "at-pid", [`${pid}`]); // blocked: recriu would leave its report
  for (const program of [criu, undefined]) {
    const asked = restore({ log_file: "../stray.log" });
    const { answer } = await ask(stage, images, asked, program === undefined ? {} : { program });
    expect(answer).toMatchObject({ success: false });
    expect(existsSync(join(images, "../stray.log"))).toBe(false);
  }
});

held(
  "a blocker: the runtime gets recriu's words as CRIU's answer, and finds them in the log",
  async () => {
    await using stage = openStage();
    const { pid, images, sockets } = await dumpX11(stage, []);
    rmSync(sockets, { recursive: true });
    await start(stage, "at-pid", [`${pid}`]);
    const refused = await ask(stage, images, restore());
    expect(refused.answer).toMatchObject({ type: RESTORE, success: false, restore: { pid: -1 } });
    expect(refused.answer!.cr_errmsg).toMatch(
      /^\(00\.000000\) Error \(recriu\): .*\nblocker\[pid-in-use\]: /,
    );
    expect(refused.log).toBe(refused.answer!.cr_errmsg!);
    expect(refused).toMatchObject({ exit: 1, stdout: "notified 0 children \n", stderr: "" });

    const env = { RECRIU_IGNORE: "pid-in-use" };
    const failed = await ask(stage, images, restore(), { env });
    expect(failed.answer).toMatchObject({ success: false });
    expect(failed.log).toContain("Restoring FAILED.\n");
    expect(failed.log.split("Restoring FAILED.\n")[1]).toContain(
      `failed: Can't fork for ${pid}: File exists\n`,
    );
    expect(failed).toMatchObject({ exit: 1, stderr: "" });
    expect(existsSync(sockets)).toBe(false);
  },
);

test("a refusal has the errno that CRIU's own answer has", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "tree", [stage.dir, "/etc/hostname", `${stage.dir}/log`, "2"]);
  const child = descendants(pid)[0]!.pid;
  const thread = Number(readdirSync(`/proc/${pid}/task`).find((tid) => tid !== `${pid}`) ?? 0);
  const images = await dump(stage, pid);
  const powerless = (program: string) => {
    const path = join(stage.dir, `powerless-${++stage.count}`);
    const text = `exec setpriv --bounding-set=-all --inh-caps=-all -- ${program} "$@"`;
    writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return path;
  };
  const errnoOf = async (program: string) => {
    const { answer } = await ask(stage, images, restore(), { program });
    expect(answer).toMatchObject({ success: false });
    return answer!.cr_errno;
  };
  const found: (number | undefined)[] = [];
  for (const number of [pid, child, thread].filter((each) => each > 0)) {
    const holder = await start(stage, "at-pid", [`${number}`]);
    found.push(await errnoOf(criu));
    expect(await errnoOf(link(stage))).toBe(found.at(-1));
    await killTree(stage, holder.pid);
  }
  found.push(await errnoOf(powerless(criu)));
  expect(await errnoOf(powerless(link(stage)))).toBe(found.at(-1));
  expect(found.filter((errno) => errno !== undefined)).toEqual([17, 56]);
});

held(
  "the configuration file that a request names goes over the request, for recriu as for CRIU",
  async () => {
    await using stage = openStage();
    const { pid, images } = await dumpX11(stage, []);
    const [seen, script, config] = ["seen", "script", "config"].map((name) =>
      join(stage.dir, name),
    );
    writeFileSync(script!, `#!/bin/sh\necho $CRTOOLS_SCRIPT_ACTION >>${seen}\n`, { mode: 0o755 });
    writeFileSync(config!, `action-script ${script}\nlog-file other.log\n`);
    const { answer, log } = await ask(stage, images, restore({ config_file: config }));
    expect(answer).toMatchObject({ success: true, restore: { pid } });
    expect(log).toBe("");
    expect(readFileSync(seen!, "utf8")).toContain("post-resume\n");
  },
);

test("a configuration file that is none, or has no end, is not read: of what is untrusted it is a refusal, at once", async () => {
  await using stage = openStage();
  const { images } = await dumpX11(stage, []);
  const [fifo, large] = ["fifo", "large"].map((name) => join(stage.dir, name));
  expect((await run(stage, ["mkfifo", fifo!])).exit).toBe(0);
  writeFileSync(large!, "");
  truncateSync(large!, 64 << 20);
  for (const config of [fifo!, large!, "/dev/zero", "/dev/ptmx", stage.dir]) {
    const bytes = restore({ config_file: config });
    const { answer } = await ask(stage, images, bytes, { env: { RECRIU_UNTRUSTED: "1" } });
    expect({ config, answer }).toMatchObject({
      config,
      answer: { success: false, cr_errmsg: expect.stringContaining(config) },
    });
  }
});

held("other requests, late ones and none are CRIU's alone", async () => {
  await using stage = openStage();
  const version = encode(request, { type: VERSION });
  const bare = await ask(stage, stage.dir, version, { program: criu });
  const same = await ask(stage, stage.dir, version, { delay: 300 });
  expect(same.answer!.version!.major_number).toBeGreaterThan(2);
  expect(same).toEqual(bare);
  const odd = Uint8Array.of(8, 2, 255);
  expect(await ask(stage, stage.dir, odd)).toEqual(
    await ask(stage, stage.dir, odd, { program: criu }),
  );
  expect(await ask(stage, stage.dir, undefined)).toEqual(
    await ask(stage, stage.dir, undefined, { program: criu }),
  );
  const { images, pid } = await dumpX11(stage, []);
  const late = await ask(stage, images, restore(), { delay: 300 });
  expect(late.answer).toMatchObject({ success: true });
  await killTree(stage, pid);
  expect(alive(pid)).toBe(false);
});

held(
  "a tree that is not the saved one: refused while nothing runs; at the last point, where CRIU would wait for ever, told in the log",
  async () => {
    await using stage = openStage();
    const program = ownProgram(stage, "tree");
    const args = [stage.dir, "/etc/hostname", `${stage.dir}/log`, "2"];
    const { pid, images } = await startDumped(stage, "tree", args, { program });
    // CRIU up to 4.1 runs such a script twice at each point.
    const spoiledAt = (point: string, spoil: string) => {
      const [script, config] = [join(stage.dir, "script"), join(stage.dir, "config")];
      const text = `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != ${point} ] || ${spoil}; true\n`;
      writeFileSync(script, text, { mode: 0o755 });
      writeFileSync(config, `action-script ${script}\n`);
      return restore({ config_file: config });
    };
    const gated = await ask(
      stage,
      images,
      spoiledAt("post-restore", "pkill -9 -P $CRTOOLS_INIT_PID leaf-1"),
    );
    expect({ ...gated, log: "" }).toMatchObject({
      exit: 1,
      stderr: "",
      answer: { success: false },
    });
    expect(gated.log.split("\n").at(-2)).toContain("the tree is not the saved one");
    expect(alive(pid)).toBe(false);

    const late = await ask(stage, images, spoiledAt("pre-resume", `mv ${program} ${program}.late`));
    expect({ ...late, log: "" }).toMatchObject({ exit: 0, stderr: "", answer: { success: true } });
    expect(late.log.split("\n").at(-2)).toContain("the tree is not the saved one");
    expect(alive(pid)).toBe(true);
  },
);

held("the watcher is not in the container's cgroups", async () => {
  await using stage = openStage();
  const hierarchy = hierarchies().find(({ version }) => version === 2);
  if (hierarchy === undefined) throw new Error("cgroup v2 is not mounted");
  const cgroup = makeCgroup(stage, hierarchy, "container");
  const { images } = await dumpX11(stage, []);
  const [seen, script, config] = ["seen", "script", "config"].map((name) => join(stage.dir, name));
  const list = `for pid in $(cat ${cgroup}/cgroup.procs); do cat /proc/$pid/comm; done >>${seen}; true`;
  writeFileSync(script!, `#!/bin/sh\n${list}\n`, { mode: 0o755 });
  writeFileSync(config!, `action-script ${script}\n`);
  const inside = join(stage.dir, "inside");
  const enter = `echo $$ >${cgroup}/cgroup.procs; exec ${link(stage)} "$@"`;
  writeFileSync(inside, `#!/bin/sh\n${enter}\n`, { mode: 0o755 });
  const opts = { config_file: config, manage_cgroups_mode: 0 };
  // Neither is recriu while it looks: a limit of the container's would count its memory.
  const [asking, looked] = [join(stage.dir, "asking"), join(stage.dir, "looked")];
  const note = `case "$*" in *--version*) cat /proc/$PPID/cgroup >${looked};; esac; exec ${criu} "$@"`;
  writeFileSync(asking, `#!/bin/sh\n${note}\n`, { mode: 0o755 });
  const env = { RECRIU_CRIU: asking };
  const { answer } = await ask(stage, images, restore(opts), { program: inside, env });
  expect(readFileSync(looked, "utf8")).not.toContain(basename(cgroup));
  expect(answer).toMatchObject({ success: true });
  expect(readFileSync(seen!, "utf8")).toContain("x11-server");
  expect(readFileSync(seen!, "utf8")).not.toContain("recriu");
});

test("a root for images without a mount namespace: CRIU's success is a tree in this machine's root", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "kernel", ["owner"]);
  const inRoot = restore({ root: stage.dir });
  const bare = await ask(stage, images, inRoot, { program: criu });
  expect(bare.answer).toMatchObject({ success: true, restore: { pid } });
  expect(readlinkSync(`/proc/${pid}/root`)).toBe("/");
  await killTree(stage, pid);
  const refused = await ask(stage, images, inRoot);
  expect(refused.answer).toMatchObject({ success: false, restore: { pid: -1 } });
  expect(refused.answer!.cr_errmsg).toMatch(/\nblocker\[root-ignored\]: /);
  expect(alive(pid)).toBe(false);
});

test("orphan_pts_master gives a terminal to a session of the tree, and to no other", async () => {
  await using stage = openStage();
  const terminal = await start(stage, "terminal", ["job"]);
  const job = descendants(terminal.pid).at(-1)!.pid;
  const images = await dump(stage, job, ["--shell-job"]);
  await killTree(stage, terminal.pid);
  const asked = restore({ orphan_pts_master: true });
  const bare = await ask(stage, images, asked, { program: criu });
  expect(bare.answer).toMatchObject({ success: false });
  const refused = await ask(stage, images, asked);
  expect(refused.answer).toMatchObject({ success: false, restore: { pid: -1 } });
  const [, said] = /^blocker\[tty-no-task\]:.*\n.*\n {2}criu +(.*)$/m.exec(refused.log) ?? [];
  expect(said).toMatch(/^No task found with sid \d+$/);
  expect(bare.log).toContain(said!);
});

test("what cannot be looked at goes on, and that is kept; where it has to be looked at, it is refused", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  const kept = join(stage.dir, "kept");
  const said = () =>
    existsSync(join(kept, "restores.log")) ? readFileSync(join(kept, "restores.log"), "utf8") : "";
  const well = Buffer.from(restore());
  expect([well[0], well[1]]).toEqual([8, RESTORE]);
  // The type in two bytes: CRIU takes it, of which two readers could make two things.
  const odd = Buffer.concat([Buffer.from([8, RESTORE | 0x80, 0]), well.subarray(2)]);
  const open = encode(
    message("criu_req", { type: required(1, "enum"), keep_open: required(4, "bool") }),
    {
      type: VERSION,
      keep_open: true,
    },
  );
  for (const [bytes, why] of [
    [odd, "the request is not understood"],
    [open, "a request that keeps the connection open"],
  ] as const) {
    const env = { RECRIU_LOG_DIR: kept };
    const refused = await ask(stage, images, bytes, {
      env: { ...env, RECRIU_REQUIRE_SIGNATURE: "1" },
    });
    expect(refused.answer).toMatchObject({ success: false });
    expect(refused.answer!.cr_errmsg).toContain(
      `a signature is required, and not looked at: ${why}`,
    );
    expect(alive(pid)).toBe(false);
    rmSync(kept, { recursive: true });
    const passed = await ask(stage, images, bytes, { env });
    expect(passed.answer).toMatchObject({ success: true });
    expect(said()).toContain(`what it asks was not looked at: ${why}`);
    rmSync(kept, { recursive: true });
    expect(alive(pid)).toBe(bytes === odd);
    if (bytes === odd) await killTree(stage, pid);
  }
  await ask(stage, images, well, { env: { RECRIU_LOG_DIR: kept } });
  expect(said()).toBe("");
  await killTree(stage, pid);
});
