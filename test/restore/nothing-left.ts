/**
 * What recriu or CRIU can leave behind on a stage with a state of its own: "nothing is left" is that this is the same as
 * before. Of what all stages of this machine share (/tmp, the mounts) only what bears the stage's name is looked at.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { isScratch } from "../../src/criu/scratch.ts";
import { nameOf } from "./stage/processes.ts";
import { descendants, hierarchies, type Stage, stateOf } from "./stage.ts";

/** Names that CRIU gives to what it makes for the moment, and recriu to its own. */
const MADE = [/^link_remap\./, /\.cr_link$/, /\.cr\.[0-9a-f]+\.ghost$/, /^\.recriu-/];

const namesIn = (directory: string): string[] =>
  existsSync(directory) ? readdirSync(directory) : [];

/** One line a thing: processes, mounts, sockets, cgroups, temporary directories, journals, shadows, second names. */
export function everythingOn(stage: Stage): string[] {
  const { run, shm } = stateOf(stage);
  const name = basename(stage.dir);
  const processes = descendants(stage.supervisor.pid).map(
    ({ pid, state }) => `process ${pid} ${nameOf(pid)} ${state}`,
  );
  const mounts = readFileSync(`/proc/${stage.supervisor.pid}/mountinfo`, "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((at) => at.includes(name) || at.split("/").some(isScratch));
  const sockets = readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .flatMap((line) => /\S*recriu-stage-\S*/.exec(line)?.[0] ?? [])
    .filter((path) => path.includes(name));
  const cgroups = hierarchies().flatMap(({ mount }) =>
    existsSync(join(mount, name))
      ? (readdirSync(join(mount, name), { recursive: true }) as string[])
          .filter((each) => each.endsWith("cgroup.procs"))
          .map((each) => join(mount, name, each))
      : [],
  );
  const made = (readdirSync(stage.dir, { recursive: true }) as string[]).filter(
    (path) => isScratch(basename(path)) || MADE.some((form) => form.test(basename(path))),
  );
  const state = [run, shm].flatMap((place) =>
    namesIn(place)
      .filter((each) => each.startsWith(".recriu-") || isScratch(each))
      .map((each) => join(basename(place), each)),
  );
  return [
    ...processes,
    ...mounts.map((at) => `mount ${at}`),
    ...sockets.map((path) => `socket ${path}`),
    ...cgroups,
    ...made,
    ...state,
    ...namesIn(join(run, "recriu")).map((journal) => `journal ${journal}`),
  ].toSorted();
}
