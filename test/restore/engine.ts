/** What Podman and Docker need to be staged: a system of their own to install in, their programs, an image, a client. */
import { expect } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import {
  criu,
  hierarchies,
  makeCgroup,
  recriuBinary,
  run,
  type Run,
  type Stage,
  waitFor,
} from "./stage.ts";
import { repository } from "../built.ts";
import { compile } from "./stage/compile.ts";

const runtimes = join(repository, ".cache/runtimes");

/** runc, after what this machine does not allow (raised limits, another oom_score_adj) is out of the configuration. */
const meek = `#!/bin/sh
for word; do [ ! -f "$word/config.json" ] || sed -i -E 's/,"rlimits":\\[[^]]*\\]//; s/"rlimits":\\[[^]]*\\],?//; s/"oomScoreAdj":-?[0-9]+/"oomScoreAdj":0/' "$word/config.json"; done
exec ${join(runtimes, "runc/runc")} "$@"
`;

/** A program of scripts/setup. */
export const program = (name: string): string => join(runtimes, name, name);

/** A directory with `runc` and `criu`, to be the first in PATH. */
export function makeBin(stage: Stage): string {
  const bin = join(stage.dir, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "runc"), meek);
  chmodSync(join(bin, "runc"), 0o755);
  symlinkSync(criu, join(bin, "criu"));
  // Podman kills and removes containers without a PATH: then a runtime has to be in one of the usual places.
  const usual = join(stage.dir, "system/usr/local/bin");
  mkdirSync(usual, { recursive: true });
  symlinkSync(join(bin, "runc"), join(usual, "runc"));
  return bin;
}

/** A root file system with the server of the incident, as a tar. */
export async function makeImage(stage: Stage): Promise<string> {
  const root = join(stage.dir, "image");
  for (const dir of ["proc", "dev", "sys", "tmp", "etc", "run"])
    mkdirSync(join(root, dir), { recursive: true });
  copyFileSync(compile("x11-server", true), join(root, "x11-server"));
  const tar = join(stage.dir, "image.tar");
  await run(stage, ["tar", "-C", root, "-cf", tar, "."]);
  return tar;
}

/** A mount namespace where /etc, /usr/local, /var/lib and /var/log can be written to, and this machine's stay as they are. */
export interface System {
  /** Words before others, which are run in it then. */
  enter: readonly string[];
  run(words: string[], timeout?: number): Promise<Run>;
  /** As `run`, with `recriu`. */
  recriu(...words: string[]): Promise<Run>;
  /** What is in those directories, but for logs, that is not this machine's, with its content. */
  changes(): Promise<string>;
}

export async function makeSystem(stage: Stage, env: Record<string, string>): Promise<System> {
  const upper = join(stage.dir, "system");
  const overlays = ["/etc", "/usr/local", "/var/lib"].map((dir) => {
    const [over, work] = [join(upper, dir), join(stage.dir, "overlay", dir)];
    for (const made of [over, work]) mkdirSync(made, { recursive: true });
    return `mount -t overlay overlay -o lowerdir=${dir},upperdir=${over},workdir=${work} ${dir}`;
  });
  const holder = join(stage.dir, "holder");
  // A runtime does not hand on that nothing is to be logged; what this machine keeps of recriu is none of the system's.
  const own = ["mount -t tmpfs tmpfs /var/log", "rm -rf /var/lib/recriu"];
  const hold = [...overlays, ...own, `echo $$ >${holder}`, "exec sleep 600"].join(" && ");
  void run(stage, ["unshare", "--mount", "sh", "-c", hold], { timeout: 600_000 });
  const held = () => existsSync(holder) && readFileSync(holder, "utf8").endsWith("\n");
  await waitFor("the overlays", held);
  const enter = ["nsenter", `--mount=/proc/${readFileSync(holder, "utf8").trim()}/ns/mnt`];
  const inside = (words: string[], timeout = 120_000) =>
    run(stage, [...enter, ...words], { env, timeout });
  return {
    enter,
    run: inside,
    recriu: (...words) => inside([recriuBinary, ...words]),
    changes: async () => {
      const list = `cd ${upper} && find . ! -type d -printf '%p %m %l\\n' | sort && find . -type f | sort | xargs -r cat`;
      return (await inside(["sh", "-c", list])).stdout;
    },
  };
}

/**
 * The cgroup below which containers are made, and whether the real-time budget that they ask for is to be had there. In
 * a new cgroup there is none unless it is asked for, within that of its parent.
 */
export function cgroupParent(stage: Stage): { parent: string; rationed: boolean } {
  const cpu = hierarchies().find(({ controllers }) => controllers.includes("cpu"));
  const budget = cpu && join(makeCgroup(stage, cpu, ""), "cpu.rt_runtime_us");
  const rationed = budget !== undefined && existsSync(budget);
  if (rationed) writeFileSync(budget, "50000");
  return { parent: `/${basename(stage.dir)}`, rationed };
}

/**
 * Nothing of a container is left: no cgroup, no mount, and no process that has `id` in its words. The engines' monitors
 * (conmon, containerd-shim) clean up behind their backs, so this is given time.
 */
export async function expectNothingLeft(stage: Stage, system: System, id: string): Promise<void> {
  const nothing = { cgroups: [], mounts: [], processes: "" };
  let left = await leftOf(stage, system, id);
  for (let tries = 0; !Bun.deepEquals(left, nothing) && tries < 100; tries++) {
    await Bun.sleep(50);
    left = await leftOf(stage, system, id);
  }
  expect(left).toEqual(nothing);
}

async function leftOf(stage: Stage, system: System, id: string) {
  const cgroups = hierarchies()
    .map(({ mount }) => join(mount, basename(stage.dir)))
    .filter((dir) => existsSync(dir))
    .flatMap((dir) => readdirSync(dir, { recursive: true }) as string[])
    .filter((name) => name.includes(id));
  const mounts = (await system.run(["cat", "/proc/self/mountinfo"])).stdout
    .split("\n")
    .filter((line) => line.includes(id));
  const processes = (await system.run(["pgrep", "-af", id])).stdout;
  return { cgroups, mounts, processes };
}

/** The verdict in a log of CRIU's that a runtime keeps below the stage. */
export async function verdict(stage: Stage, system: System): Promise<string> {
  const find = `grep -rhs --include=restore.log -e "^verified: " ${stage.dir} || true`;
  let found = "";
  for (let tries = 0; found === "" && tries < 100; tries++) {
    found = (await system.run(["sh", "-c", find])).stdout;
    if (found === "") await Bun.sleep(50);
  }
  return found;
}
