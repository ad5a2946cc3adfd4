/**
 * `bun test/restore/fuzz-dumps.ts`: makes the dumps that `npm run fuzz` begins with, test/fuzz/dumps/NAME.tar.zst, as Podman
 * exports a checkpoint: every image that real CRIU wrote of a tree, with zeros in the place of memory.
 */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { repository } from "../built.ts";
import { dumpBy, forky } from "./criu.ts";
import { freePort } from "./inet.ts";
import { dumpInUser, NEWNET } from "./namespaces.ts";
import {
  descendants,
  dump,
  hierarchies,
  makeCgroup,
  openStage,
  ownProgram,
  run,
  type Stage,
  start,
} from "./stage.ts";
import { dumpContainer } from "./tree-in-container.ts";

/** A dump of a workload whose program has no name of this machine's. */
const of =
  (name: string, words: (stage: Stage) => string[], options: string[] = []) =>
  async (stage: Stage): Promise<string> => {
    const { pid } = await start(stage, name, words(stage), { program: ownProgram(stage, name) });
    return dump(stage, pid, options);
  };

const inStage =
  (...names: string[]) =>
  (stage: Stage) =>
    names.map((name) => (name.startsWith("/") ? join(stage.dir, name) : name));

const dumps: Record<string, (stage: Stage) => Promise<string>> = {
  sockets: of("x11-server", inStage("/sockets", "/progress")),
  tree: of("tree", (stage) => [stage.dir, "/etc/hostname", join(stage.dir, "log"), "2"]),
  zombies: of("relations", () => ["lost-parent"]),
  job: async (stage) => {
    const program = ownProgram(stage, "terminal");
    const { pid } = await start(stage, "terminal", ["job"], { program });
    const job = descendants(pid).at(-1)!;
    return dump(stage, job.pid, ["--shell-job"]);
  },
  ttys: of("terminal", () => ["pair"]),
  container: async (stage) => {
    const mounts: [string, string, string][] = [
      ["tmpfs", "none", "/tmp"],
      ["proc", "none", "/proc"],
    ];
    return (await dumpContainer(stage, { mounts })).images;
  },
  user: async (stage) => (await dumpInUser(stage, () => [])).images,
  network: of("kernel", () => ["unshare", NEWNET], ["--network-lock=nftables"]),
  ghosts: of("ghost", inStage("/ghost", "3")),
  cgroups: async (stage) => {
    const hierarchy = hierarchies().find(({ version }) => version === 2) ?? hierarchies()[0]!;
    const cgroups = [makeCgroup(stage, hierarchy, "workload/below")];
    const program = ownProgram(stage, "sched");
    const { pid } = await start(stage, "sched", ["rr", "7", "0", "reset"], { cgroups, program });
    return dump(stage, pid, ["--manage-cgroups=full", "--cgroup-root", "/"]);
  },
  files: async (stage) => {
    mkdirSync(join(stage.dir, "objects"));
    const program = ownProgram(stage, "open");
    return dump(stage, (await start(stage, "open", [join(stage.dir, "objects")], { program })).pid);
  },
  memory: async (stage) => {
    writeFileSync(join(stage.dir, "mapped"), Buffer.alloc(4 * 4096, "x"));
    return of("contents", inStage("/mapped"))(stage);
  },
  locks: async (stage) => {
    writeFileSync(join(stage.dir, "file"), "x");
    return of("objects", inStage("ofd", "/file"), ["--file-locks"])(stage);
  },
  tcp: async (stage) => {
    const words = [String(freePort()), "pair", join(stage.dir, "progress")];
    const program = ownProgram(stage, "tcp");
    const { pid } = await start(stage, "tcp", words, { program });
    return dumpBy(stage, forky, pid, ["--tcp-established", "--network-lock=nftables"]);
  },
};

/** Cgroups of this machine have other names of the same length. */
const machine = readFileSync("/proc/self/cgroup", "utf8").match(/[^/:\n]{10,}/g) ?? [];
const unnamed = (bytes: string): string =>
  machine
    .reduce((text, name) => text.replaceAll(name, "x".repeat(name.length)), bytes)
    .replace(/[0-9a-f]{32}/g, "0".repeat(32));

const into = join(repository, "test/fuzz/dumps");
const only = process.argv.slice(2);
for (const [name, make] of Object.entries(dumps)) {
  if (only.length > 0 && !only.includes(name)) continue;
  await using stage = openStage();
  const images = await make(stage);
  for (const file of readdirSync(images)) {
    const path = join(images, file);
    const { size } = statSync(path);
    if (/^pages-\d+\.img$/.test(file)) {
      truncateSync(path, 0);
      truncateSync(path, size);
    } else if (file.endsWith(".img"))
      writeFileSync(path, unnamed(readFileSync(path, "latin1")), "latin1");
    else rmSync(path);
  }
  const tar = join(stage.dir, "tar");
  const argv = [
    "tar",
    "-C",
    images,
    "--sort=name",
    "--mtime=@0",
    "--transform",
    "s,^\\.,checkpoint,",
    "-cf",
    tar,
    ".",
  ];
  const made = await run(stage, argv);
  if (made.exit !== 0) throw new Error(made.stderr);
  const packed = Bun.zstdCompressSync(await Bun.file(tar).bytes(), { level: 19 });
  writeFileSync(join(into, `${name}.tar.zst`), packed);
  console.log(name, readdirSync(images).length, packed.length);
}
