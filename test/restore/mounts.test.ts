/** Mounts of a tree with a mount namespace of its own: from outside, of devices, of file systems, and their places. */
import { expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { predicted, restored } from "./predicted.ts";
import { blockers, finding, report, explained, sameWords } from "./report.ts";
import {
  descendants,
  killTree,
  openStage,
  recriu,
  restoreBare,
  run,
  type Stage,
  criu,
} from "./stage.ts";
import { dumpContainer } from "./tree-in-container.ts";
import { typed } from "./typed.ts";

/** A container with a directory and a file of the host mounted in it, and a tmpfs. */
async function dumpWithMounts(stage: Stage) {
  const data = join(stage.dir, "data");
  const file = join(stage.dir, "hosts");
  mkdirSync(data);
  writeFileSync(file, "here\n");
  const dumped = await dumpContainer(stage, {
    mounts: [
      ["bind", data, "/data"],
      ["bind", file, "/etc/hosts"],
      ["tmpfs", "none", "/tmp"],
    ],
    options: ["--external", "mnt[/data]:data", "--external", "mnt[/etc/hosts]:hosts"],
  });
  const map = (dir: string) => [
    "--external",
    `mnt[data]:${dir}`,
    "--external",
    `mnt[hosts]:${file}`,
  ];
  return { ...dumped, data, file, map };
}

test("external-mount-unmapped: the option is named with the key and the old path", async () => {
  await using stage = openStage();
  const { root, images, options, data, file } = await dumpWithMounts(stage);
  await predicted(stage, images, "external-mount-unmapped", options);
  const preflight = await report(stage, "preflight", images, options);
  const wanted = preflight.findings.filter(({ id }) => id === "external-mount-unmapped");
  expect(wanted.map(({ subject }) => subject).sort()).toEqual(["/data", "/etc/hosts"]);
  expect(wanted.map(({ remedy }) => remedy.command).sort()).toEqual([
    `--external 'mnt[data]:${data}'`,
    `--external 'mnt[hosts]:${file}'`,
  ]);
  // The other one is given.
  const given = [...options, "--external", `mnt[hosts]:${file}`];
  const told = await report(stage, "preflight", images, given);
  expect((await typed(stage, told, "external-mount-unmapped", { options: given })).exit).toBe(0);
  expect(existsSync(join(root, "data"))).toBe(true);
});

test("a root and a mount's source without a slash: CRIU opens them in /, or the old way in the work directory", async () => {
  await using stage = openStage();
  const { images, root, data, map } = await dumpWithMounts(stage);
  const pidfile = join(stage.dir, "pid");
  const relative = [
    ["--root", root.slice(1), ...map(data.slice(1))],
    ["--root", "root", ...map("data"), "--mntns-compat-mode", "-W", stage.dir],
  ];
  for (const all of relative) {
    const bare = await restoreBare(stage, images, [...all, "--pidfile", pidfile]);
    expect(bare.exit).toBe(0);
    await killTree(stage, Number(readFileSync(pidfile, "utf8")));
    rmSync(pidfile);
    await killTree(stage, await restored(stage, images, all));
  }
});

test("root-needed: without --root CRIU crashes or refuses", async () => {
  await using stage = openStage();
  const { root, images, data, map } = await dumpWithMounts(stage);
  const named = await predicted(stage, images, "root-needed", map(data));
  expect(named.remedy.command).toBe(`--root ${root}`);
  const told = await report(stage, "preflight", images, map(data));
  expect((await typed(stage, told, "root-needed", { options: map(data) })).exit).toBe(0);
});

test("root-missing: a directory it must be, a mount point it need not be", async () => {
  await using stage = openStage();
  const { root, images, data, map } = await dumpWithMounts(stage);
  const nowhere = join(stage.dir, "nowhere");
  await predicted(stage, images, "root-missing", ["--root", nowhere, ...map(data)]);
  await predicted(stage, images, "root-missing", ["--root", join(root, "app"), ...map(data)]);
  // Once it is no mount point any more, it does as well.
  await run(stage, ["umount", root]);
  await restored(stage, images, ["--root", root, ...map(data)]);
});

test("external-mount-source-missing: not there, or a file for a directory", async () => {
  await using stage = openStage();
  const { images, options, data, file, map } = await dumpWithMounts(stage);
  const gone = await predicted(stage, images, "external-mount-source-missing", [
    ...options,
    ...map(`${data}-gone`),
  ]);
  expect(gone.subject).toBe(`${data}-gone`);
  const other = await predicted(stage, images, "external-mount-source-missing", [
    ...options,
    ...map(file),
  ]);
  expect(other.message).toContain("is a file");
  const old = [...options, ...map(`${data}-gone`), "--mntns-compat-mode"];
  await predicted(stage, images, "external-mount-source-missing", old);
  await restored(stage, images, [...options, ...map(data)]);
});

test("mountpoint-missing: made inside the root, where it can only be a directory", async () => {
  await using stage = openStage();
  const { root, images, options, data, map } = await dumpWithMounts(stage);
  const all = [...options, ...map(data)];
  for (const place of ["data", "tmp"]) {
    rmdirSync(join(root, place));
    const named = await predicted(stage, images, "mountpoint-missing", all);
    expect(named).toMatchObject({ subject: join(root, place), remedy: { kind: "repair" } });
    await predicted(stage, images, "mountpoint-missing", [...all, "--mntns-compat-mode"]);
    const told = await report(stage, "preflight", images, all);
    expect((await typed(stage, told, "mountpoint-missing")).exit).toBe(0);
    expect(await report(stage, "preflight", images, all)).toMatchObject({ exit: 0 });
    rmdirSync(join(root, place));
    const done = await report(stage, "restore", images, all);
    expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
    expect(statSync(join(root, place)).isDirectory()).toBe(true);
    await killTree(stage, done.run!.pid!);
  }
});

test("mount-device-missing, filesystem-unknown: as the images of other machines are", async () => {
  await using stage = openStage();
  const { images, options, data, map } = await dumpWithMounts(stage);
  const all = [...options, ...map(data)];
  const mountpoints = readdirSync(images).find((file) => file.startsWith("mountpoints"))!;
  const changed = (name: string, change: (tmp: any) => void) => {
    const copy = join(stage.dir, name);
    cpSync(images, copy, { recursive: true });
    edit(copy, mountpoints, (mounts) => change(mounts.find((m) => m.mountpoint.endsWith("/tmp"))));
    return copy;
  };
  const device = changed("device", (tmp) => {
    Object.assign(tmp, {
      fstype: 16,
      fsname: "ext4",
      root_dev: (8 << 20) | 1,
      source: "dev[disk]",
    });
    tmp.ext_key = "CRIU:EXTERNAL_DEV";
  });
  const lost = await predicted(stage, device, "mount-device-missing", all);
  expect(lost.remedy.command).toBe("--external 'dev[disk]:DEVICE'");
  expect(lost.message).toContain("8:1");

  const strange = changed("strange", (tmp) =>
    Object.assign(tmp, { fstype: 16, fsname: "recriufs" }),
  );
  const preflight = await report(stage, "preflight", strange, all);
  const named = finding(preflight, "filesystem-unknown");
  expect(named.severity).toBe(existsSync("/proc/modules") ? "warning" : "blocker");
  const bare = await restoreBare(stage, strange, all);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(named.criu_message!);

  await restored(stage, images, all);
});

test("mount-device-missing: a bind of an external device has it by the mount that was named", async () => {
  await using stage = openStage();
  const disk = join(stage.dir, "disk.img");
  const sh = (command: string) => run(stage, ["sh", "-ec", command]);
  await sh(`truncate -s 20M ${disk} && mkfs.ext4 -qF ${disk} && mkdir ${disk}.d`);
  await sh(`mount -o loop ${disk} ${disk}.d && mkdir ${disk}.d/a ${disk}.d/b && umount ${disk}.d`);
  const device = (await sh(`losetup --find --show ${disk}`)).stdout.trim();
  try {
    const number = (await sh(`lsblk -no MAJ:MIN ${device}`)).stdout.trim().replace(":", "/");
    const root = join(stage.dir, "root");
    const { images, options } = await dumpContainer(stage, {
      mounts: [
        ["ext4", device, "/disk"],
        ["bind", join(root, "disk/a"), "/disk/b"],
        ["ext4", device, "/again"],
      ],
      options: ["--external", `dev[${number}]:loop`],
    });
    const named = ["--external", `dev[loop]:${device}`];
    const lost = await predicted(stage, images, "mount-device-missing", options);
    expect(lost.remedy.command).toBe("--external 'dev[loop]:DEVICE'");
    expect(blockers(await report(stage, "preflight", images, options))).toEqual([lost.id]);
    expect((await restoreBare(stage, images, [...options, ...named])).exit).toBe(0);
    const [app] = descendants(stage.supervisor.pid);
    await killTree(stage, app!.pid);
    await restored(stage, images, [...options, ...named]);
    await killTree(stage, descendants(stage.supervisor.pid)[0]!.pid);
  } finally {
    await sh(`losetup -d ${device}`);
  }
});

test("mount-unknown: CRIU stops at a socket and crashes at a file of no known mount", async () => {
  await using stage = openStage();
  const { images, socket, options } = await dumpContainer(stage);
  const copy = (name: string) => {
    const dir = join(stage.dir, name);
    cpSync(images, dir, { recursive: true });
    return dir;
  };
  const lostSocket = copy("lost-socket");
  edit(lostSocket, "files.img", (files) => {
    for (const { usk } of files) if (usk?.name.length > 0) usk.mnt_id = 99_999;
  });
  const named = await predicted(stage, lostSocket, "mount-unknown", options);
  expect(named).toMatchObject({ subject: socket, severity: "blocker" });

  const lostFile = copy("lost-file");
  edit(lostFile, "files.img", (files) => {
    for (const { reg } of files) if (reg !== undefined) reg.mnt_id = 99_999;
  });
  await predicted(stage, lostFile, "mount-unknown", options);
  await restored(stage, images, options);
});

/** A container in which one directory is mounted twice, as one shared mount; with or without /proc. */
async function dumpShared(stage: Stage, proc: boolean) {
  const [one, two, narrow] = ["a", "b", "a/narrow"].map((name) => join(stage.dir, name)) as [
    string,
    string,
    string,
  ];
  for (const directory of [one, two, narrow]) mkdirSync(directory);
  const inside = join(stage.dir, "root/one");
  mkdirSync(inside, { recursive: true });
  const { images, options } = await dumpContainer(stage, {
    mounts: [
      ...(proc ? ([["proc", "none", "/proc"]] as [string, string, string][]) : []),
      ["shared", one, "/one"],
      ["bind", inside, "/two"],
    ],
    options: ["--external", "mnt[/one]:one", "--external", "mnt[/two]:two"],
  });
  const from = (first: string, second: string) => [
    ...options,
    "--external",
    `mnt[one]:${first}`,
    "--external",
    `mnt[two]:${second}`,
  ];
  return { images, from, one, two, narrow };
}

/** Named with the option that recriu adds itself, without which CRIU fails, and with which it does not. */
async function madeTheOldWay(stage: Stage, images: string, id: string, options: string[]) {
  const preflight = await report(stage, "preflight", images, options);
  expect(preflight).toMatchObject({ exit: 0, plan: { options: ["--mntns-compat-mode"] } });
  const named = finding(preflight, id);
  const bare = await restoreBare(stage, images, options);
  expect(bare.exit).toBe(1);
  expect(bare.errors.filter((line) => sameWords(line, named.criu_message!))).not.toEqual([]);
  explained(named);
  const done = await report(stage, "restore", images, options);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  await killTree(stage, done.run!.pid!);
  const kept = await report(stage, "preflight", images, [...options, "--no-mntns-compat-mode"]);
  expect(kept).toMatchObject({ exit: 3, plan: { options: [] } });
  return named;
}

/** The option, typed; then its tree is ended by the pid that CRIU notes. */
async function typedTheOldWay(
  stage: Stage,
  images: string,
  options: string[],
  type: (told: Awaited<ReturnType<typeof report>>, how: object) => Promise<{ exit: number | null }>,
) {
  const told = await report(stage, "preflight", images, options);
  const pidfile = join(stage.dir, `pid-${++stage.count}`);
  expect((await type(told, { options: [...options, "--pidfile", pidfile] })).exit).toBe(0);
  await killTree(stage, Number(readFileSync(pidfile, "utf8")));
}

test("mount-group: one mount in two places, made from two", async () => {
  await using stage = openStage();
  const { images, from, one, two, narrow } = await dumpShared(stage, true);
  for (const plain of [from(one, one), from(narrow, one)])
    expect((await report(stage, "preflight", images, plain)).findings).toEqual([]);
  expect((await madeTheOldWay(stage, images, "mount-group", from(one, two))).subject).toBe("/one");
  await typedTheOldWay(stage, images, from(one, two), (told, how) =>
    typed(stage, told, "mount-group", how),
  );
  await madeTheOldWay(stage, images, "mount-group", from(one, narrow));
  const pidfile = join(stage.dir, "pid");
  const options = [...from(one, narrow), "--pidfile", pidfile];
  const told = await report(stage, "preflight", images, options);
  expect((await typed(stage, told, "mount-group", { options })).exit).toBe(0);
  await killTree(stage, Number(readFileSync(pidfile, "utf8")));
  await restored(stage, images, from(narrow, one));
});

test("mount-propagation: a shared mount in a namespace without /proc", async () => {
  await using stage = openStage();
  const { images, from, one } = await dumpShared(stage, false);
  const named = await madeTheOldWay(stage, images, "mount-propagation", from(one, one));
  await typedTheOldWay(stage, images, from(one, one), (told, how) =>
    typed(stage, told, "mount-propagation", how),
  );
  expect(named.message).toContain("no /proc");
  const options = [...from(one, one), "--pidfile", join(stage.dir, "pid")];
  const told = await report(stage, "preflight", images, options);
  expect((await typed(stage, told, "mount-propagation", { options })).exit).toBe(0);
  await killTree(stage, Number(readFileSync(join(stage.dir, "pid"), "utf8")));
});

test("mount-propagation: a CRIU before 4.1.1 on a kernel since 6.16, by what it says of itself", async () => {
  await using stage = openStage();
  const { images, from, one } = await dumpShared(stage, true);
  // No such CRIU starts on such a kernel here: this one is newer than it says.
  const says = join(stage.dir, "criu-4.1");
  const script = `#!/bin/sh\n[ "$1" = --version ] && echo "Version: 4.1" && exit\nexec ${criu} "$@"\n`;
  writeFileSync(says, script, { mode: 0o755 });
  const options = [...from(one, one), `--criu=${says}`];
  const [major = 0, minor = 0] = release().split(".").map(Number);
  const since = major > 6 || (major === 6 && minor >= 16);
  const preflight = await report(stage, "preflight", images, options);
  const named = finding(preflight, "mount-propagation");
  expect(named.severity).toBe(since ? "blocker" : "warning");
  expect(named.criu_message).toContain("Invalid argument");
  explained(named);
  const done = await report(stage, "restore", images, options);
  expect(done).toMatchObject({ exit: 0, plan: { options: since ? ["--mntns-compat-mode"] : [] } });
  await killTree(stage, done.run!.pid!);
  expect((await report(stage, "preflight", images, from(one, one))).findings).toEqual([]);
});

test("an autofs whose server kept the pipe's writing end: the kernel makes it a packet pipe anew, which no dump saves", async () => {
  await using stage = openStage();
  const { root, images, options } = await dumpContainer(stage, {
    mounts: [
      ["proc", "none", "/proc"],
      ["autofs", "none", "/net"],
    ],
  });
  await run(stage, ["mknod", join(root, "dev/autofs"), "c", "10", "235"]);
  await restored(stage, images, options);
});

test("a root that was only to be read: CRIU gives it back to be written to, and the verdict says so", async () => {
  await using stage = openStage();
  const { images, options } = await dumpContainer(stage, {
    mounts: [
      ["proc", "none", "/proc"],
      ["tmpfs", "none", "/data"],
      ["readonly", "none", "/"],
    ],
  });
  const done = await report(stage, "restore", images, options);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(done.verdict!.differences).toMatchObject([
    { class: "tolerated", expected: "mount at /: ro relatime", found: "relatime" },
  ]);
  const pid = done.run!.pid!;
  const differences = async (change: (mounts: any[]) => void) => {
    const copy = join(stage.dir, "changed");
    cpSync(images, copy, { recursive: true });
    edit(
      copy,
      readdirSync(images).find((file) => file.startsWith("mountpoints"))!,
      change,
    );
    const { stdout } = await recriu(stage, ["verify", "-D", copy, "--pid", `${pid}`, "--json"]);
    rmSync(copy, { recursive: true });
    const found = JSON.parse(stdout).verdict.differences as { expected: string }[];
    return found.map(({ expected }) => expected).filter((each) => each.includes("/data"));
  };
  const data = (mounts: any[]) => mounts.find(({ mountpoint }) => mountpoint.endsWith("/data"));
  expect(await differences(() => {})).toEqual([]);
  expect(await differences((all) => (data(all).flags ^= 8))).toEqual([
    "mount at /data: noexec relatime",
  ]);
  expect(await differences((all) => (data(all).shared_id = 7))).toEqual([
    "mount at /data: relatime shared",
  ]);
  expect(await differences((all) => (data(all).mountpoint = "./elsewhere/data"))).toEqual([
    "mount at /elsewhere/data: relatime",
    "mount at /data: none",
  ]);
  await killTree(stage, pid);
});
