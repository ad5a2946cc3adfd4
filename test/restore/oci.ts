/** A container of an OCI runtime: the incident's tree in a bundle of its own, with a socket in its root file system. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { criu, hierarchies, recriuBinary, run, type Run, type Stage, waitFor } from "./stage.ts";
import { repository } from "../built.ts";
import { compile } from "./stage/compile.ts";
import { echo } from "./x11.ts";

export interface Container {
  stage: Stage;
  bundle: string;
  /** A name that no other stage has, with more behind it for each container. */
  name: string;
  /** The root file system, and in it the directory of the socket. */
  rootfs: string;
  sockets: string;
  images: string;
  /** Call the runtime alone, or recriu in its place. */
  alone(...words: string[]): Promise<Run>;
  guarded(...words: string[]): Promise<Run>;
  /** recriu in its place, with these settings: RECRIU_IGNORE, RECRIU_FIX. */
  guardedWith(settings: Record<string, string>, ...words: string[]): Promise<Run>;
  /** Call the runtime with recriu as the criu that it finds. */
  withCriu(...words: string[]): Promise<Run>;
  /** CRIU's log of the last restore. */
  log: string;
  /** Words before each call: nsenter, where the runtime is to see mounts of the test's own. */
  enter: string[];
  /** The words that give a runtime the console socket, where the container has a terminal. */
  console: string[];
}

const devpts = {
  destination: "/dev/pts",
  type: "devpts",
  source: "devpts",
  options: ["newinstance", "ptmxmode=0666", "mode=0620"],
};

/** This machine may not raise limits; a socket directory on the root itself, so that it is what is lost. */
const config = (name: "runc" | "crun", args: string[], terminal: boolean) => ({
  ociVersion: "1.0.2",
  process: {
    terminal,
    user: { uid: 0, gid: 0 },
    args,
    env: ["PATH=/"],
    cwd: "/",
    capabilities: Object.fromEntries(
      ["bounding", "effective", "permitted"].map((set) => [set, ["CAP_SYS_NICE", "CAP_KILL"]]),
    ),
    noNewPrivileges: true,
  },
  root: { path: "rootfs" },
  hostname: "recriu",
  mounts: [
    { destination: "/proc", type: "proc", source: "proc" },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
    ...(terminal ? [devpts] : []),
  ],
  linux: {
    namespaces: ["pid", "ipc", "uts", "mount"].map((type) => ({ type })),
    ...(name === "runc" && {
      resources: { cpu: { realtimePeriod: 1000000, realtimeRuntime: 10000 } },
    }),
  },
});

/**
 * crun refuses machines that have cgroup v1 and v2 side by side, so there it is shown v2 alone. In the v1 hierarchies it runs
 * in cgroups of the stage, in a cgroup namespace: for CRIU, which sees them all the same, there are no others.
 */
const hasV2Alone = existsSync("/sys/fs/cgroup/cgroup.controllers");
const onCgroup2 = (name: string) => `#!/bin/sh -e
for v1 in /sys/fs/cgroup/*/; do
  [ -e $v1/cgroup.controllers ] && continue
  mkdir -p $v1/${name}
  for own in cpuset.cpus cpuset.mems; do
    [ ! -e $v1/$own ] || cat $v1/$own >$v1/${name}/$own
  done
  [ ! -e $v1/cpu.rt_runtime_us ] || echo 50000 >$v1/${name}/cpu.rt_runtime_us
  echo $$ >$v1/${name}/cgroup.procs
done
exec unshare --mount --cgroup sh -ec 'mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' sh "$@"
`;

/** A bundle for the runtime `name`, below .cache/runtimes, and the ways to call it. */
export function makeContainer(
  stage: Stage,
  name: "runc" | "crun",
  terminal = false,
  more: Record<string, string> = {},
): Container {
  const bundle = join(stage.dir, "bundle");
  const rootfs = join(bundle, "rootfs");
  const images = join(stage.dir, "checkpoint");
  const bin = join(stage.dir, "bin");
  const dropin = join(stage.dir, "dropin");
  // crun makes no work directories.
  const works = ["work", "dump-work"].map((dir) => join(stage.dir, dir));
  for (const dir of [rootfs, bin, dropin, images, ...works]) mkdirSync(dir, { recursive: true });
  for (const dir of ["proc", "dev", "tmp"]) mkdirSync(join(rootfs, dir));
  copyFileSync(compile("x11-server", true), join(rootfs, "x11-server"));
  const server = ["/x11-server", "/tmp/ready", "/tmp/.X11-unix", "/tmp/progress"];
  writeFileSync(join(bundle, "config.json"), JSON.stringify(config(name, server, terminal)));
  const real = join(repository, ".cache/runtimes", name, name);
  writeFileSync(join(bin, "on-cgroup2"), onCgroup2(basename(stage.dir)));
  symlinkSync(criu, join(bin, "criu"));
  symlinkSync(recriuBinary, join(dropin, "criu"));
  symlinkSync(real, join(bin, name));
  symlinkSync(recriuBinary, join(bin, `recriu-${name}`));
  const env = { PATH: `${bin}:${process.env["PATH"]}`, RECRIU_CRIU: criu, NO_COLOR: "1", ...more };
  const state = ["--root", join(stage.dir, "state"), "--log", join(stage.dir, "runtime.log")];
  // CRIU cannot dump a container that has files of the test's own open.
  const quiet = (program: string, given: string[], first = bin, settings = {}) => {
    const stderr = given.includes("restore") ? join(stage.dir, "stderr") : "/dev/null";
    const shell = `exec "$0" "$@" </dev/null >/dev/null 2>${stderr}`;
    const words = [...container.enter, "sh", "-c", shell, program, ...state, ...given];
    const shown = name === "crun" && !hasV2Alone ? ["sh", join(bin, "on-cgroup2")] : [];
    return run(stage, [...shown, ...words], {
      env: { ...env, ...settings, PATH: `${first}:${env.PATH}` },
      cwd: stage.dir,
    });
  };
  const container: Container = {
    stage,
    bundle,
    enter: [],
    name: basename(stage.dir),
    rootfs,
    sockets: join(rootfs, "tmp/.X11-unix"),
    images,
    alone: (...given) => quiet(real, given),
    withCriu: (...given) => quiet(real, given, dropin),
    guarded: (...given) => quiet(join(bin, `recriu-${name}`), given),
    guardedWith: (settings, ...given) => quiet(join(bin, `recriu-${name}`), given, bin, settings),
    log: join(stage.dir, "work/restore.log"),
    console: terminal ? ["--console-socket", join(stage.dir, "console")] : [],
  };
  return container;
}

/** The bundle's configuration, changed. */
export function configure({ bundle }: Container, change: (config: any) => void): void {
  const file = join(bundle, "config.json");
  const configured = JSON.parse(readFileSync(file, "utf8"));
  change(configured);
  writeFileSync(file, JSON.stringify(configured));
}

/** Has the runtime called in a mount namespace of its own, once `script` has mounted there what it is to see. */
export async function enterMounts(container: Container, script: string): Promise<void> {
  const { stage } = container;
  const holder = join(stage.dir, "holder");
  const hold = `${script}; echo $$ >${holder}; exec sleep 600`;
  void run(stage, ["unshare", "--mount", "sh", "-ec", hold], { timeout: 600_000 });
  const held = () => existsSync(holder) && readFileSync(holder, "utf8").endsWith("\n");
  await waitFor("the mounts", held);
  container.enter = ["nsenter", `--mount=/proc/${readFileSync(holder, "utf8").trim()}/ns/mnt`];
}

/** The container is ended by the runtime that has it; the cgroups that runtimes leave of restores go too. */
export async function end({ guarded, stage, name }: Container, id: string): Promise<void> {
  await guarded("kill", id, "KILL");
  await guarded("delete", "--force", id);
  const left = cgroupsOf(name, id);
  // Without a directory find takes the working one.
  if (left.length > 0) await run(stage, ["find", ...left, "-depth", "-type", "d", "-delete"]);
}

/** The cgroups of container `id`, wherever runtimes make them. */
export const cgroupsOf = (name: string, id: string): string[] =>
  hierarchies()
    .flatMap(({ mount }) => [join(mount, id), join(mount, name, id)])
    .filter((dir) => existsSync(dir));

/** Words of a restore as `id`; without `detach` the runtime waits for the container. */
export const restoreWords = (
  { images, bundle, stage, console }: Container,
  id: string,
  detach = true,
): string[] => [
  "restore",
  ...(detach ? ["--detach"] : []),
  `--pid-file=${join(stage.dir, `${id}.pid`)}`,
  `--image-path=${images}`,
  `--work-path=${join(stage.dir, "work")}`,
  "--bundle",
  bundle,
  ...console,
  id,
];

/** Started, checkpointed, and gone. */
export async function checkpoint(container: Container): Promise<void> {
  const { stage, bundle, rootfs, images } = container;
  const first = `${container.name}-first`;
  const made = await container.alone("run", "-d", "--bundle", bundle, ...container.console, first);
  if (made.exit !== 0)
    throw new Error(`run: ${made.exit} ${await Bun.file(join(stage.dir, "runtime.log")).text()}`);
  await waitFor("the server", () => existsSync(join(rootfs, "tmp/ready")));
  await answers(container, "before");
  const work = join(stage.dir, "dump-work");
  const dumped = await container.alone(
    "checkpoint",
    "--image-path",
    images,
    "--work-path",
    work,
    first,
  );
  if (dumped.exit !== 0)
    throw new Error(
      `checkpoint: ${dumped.exit} ${readFileSync(join(stage.dir, "runtime.log"), "utf8")} ${existsSync(join(work, "dump.log")) ? readFileSync(join(work, "dump.log"), "utf8") : ""}`,
    );
}

/** What the server in the container echoes to a new client outside. */
export const answers = ({ sockets }: Container, question: string): Promise<string> =>
  echo(join(sockets, "X7"), question);
