/** What CRIU writes into the cgroups that it makes again (cgroup.c, cgroup-props.c). */
import { upward } from "../../host/upward.ts";
import { dirname } from "../../sys/path.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem, Remedy } from "../finding.ts";
import { numbers } from "../number-lists.ts";
import {
  directoryOf,
  ignored,
  nearest,
  savedDirectories,
  type SavedDirectory,
  yardOf,
} from "./cgroup-tree.ts";

/** Files that CRIU opens but never writes, or writes only at the very end without minding a failure. */
const unwritten = new Set(["cgroup.procs", "tasks", "freezer.state", "net_prio.ifpriomap"]);

/** What it writes as soon as it made the cgroup, before the parent passes on any controller. */
const atOnce = new Set(["cpuset.cpus", "cpuset.mems"]);

interface Difference {
  name: string;
  problem: string;
  criu: string;
}

export const cgroupProperty: Check = {
  title: "A setting of a cgroup cannot be given back",
  reads: "cgroup.img; the files and values of the saved cgroups' parents",
  why:
    "CRIU writes the saved settings into each cgroup that it makes, and stops when one is refused: a controller that this kernel or " +
    "the parent does not offer, processors that the parent does not have, more processor time than the parent may give. A cgroup " +
    "that is there already is left as it is (unless --manage-cgroups=full), so making it beforehand is the way around.",
  proof: "criu",
  answers: ["choice", "person"],
  run(context) {
    if (ignored(context)) return [];
    const mode = context.request.manageCgroups.value;
    const saved = savedDirectories(context);
    const byDirectory = new Map<string, SavedDirectory>();
    for (const entry of saved) {
      const directory = directoryOf(context, entry.controllers, entry.path);
      if (directory !== undefined) byDirectory.set(directory, entry);
    }
    return [...byDirectory].values().flatMap(([directory, entry]): Problem[] => {
      const exists = context.host.exists(directory);
      if (
        exists
          ? mode === "soft" || mode === "none" || mode === "strict"
          : mode === "none" || mode === "props"
      )
        return [];
      const problem = problemOf(context, directory, entry, exists, byDirectory);
      if (problem === undefined) return [];
      return [
        {
          severity: "blocker",
          image: "cgroup.img",
          subject: `${directory}/${problem.name}`,
          message: `${directory}/${problem.name} cannot be written: ${problem.problem}`,
          criu_message: problem.criu,
          remedy: remedyOf(context, directory, entry, exists),
        },
      ];
    });
  },
};

/** The first setting that cannot be written. */
function problemOf(
  context: Context,
  directory: string,
  { controllers, path, properties }: SavedDirectory,
  exists: boolean,
  saved: ReadonlyMap<string, SavedDirectory>,
): Difference | undefined {
  const unified = controllers[0] === "";
  for (const [name, value] of properties) {
    if (unwritten.has(name) || (name === "cgroup.type" && value !== "threaded")) continue;
    const file = `${yardOf(controllers)}/${path.replace(/^\/+/, "")}/${name}`;
    const absent = (problem: string): Difference => ({
      name,
      problem,
      criu: `cg: bad cgroup path: ${file}: No such file or directory`,
    });
    const parent = dirname(directory);
    if (exists) {
      // With --manage-cgroups=full the parent's controllers may be about to change.
      if (!unified && !context.host.exists(`${directory}/${name}`))
        return absent("this kernel has no such file there");
    } else if (!unified) {
      if (!offered(context, parent, name)) return absent("this kernel's cgroups have no such file");
    } else if (!name.startsWith("cgroup.")) {
      const controller = name.split(".")[0]!;
      const parentSaved =
        atOnce.has(name) || context.host.exists(parent) ? undefined : saved.get(parent);
      const passed =
        parentSaved?.properties.get("cgroup.subtree_control") ??
        context.host.read(`${parent}/cgroup.subtree_control`) ??
        "";
      if (mayChange(context, parent, saved) || passed.trim().split(/\s+/).includes(controller))
        continue;
      return absent(`${parent} does not pass the controller ${controller} on`);
    }
    const refused = unified
      ? undefined
      : refusal(
          context,
          parent,
          name,
          value,
          properties,
          exists,
          saved.has(parent) && !context.host.exists(parent),
        );
    if (refused !== undefined)
      return {
        name,
        problem: refused.problem,
        criu: `cg: Failed writing ${value} to ${file}${refused.errno === undefined ? "" : `: ${refused.errno}`}`,
      };
  }
  return undefined;
}

/** Whether CRIU gives an existing cgroup2 parent its saved controllers first. */
function mayChange(
  context: Context,
  parent: string,
  saved: ReadonlyMap<string, SavedDirectory>,
): boolean {
  const mode = context.request.manageCgroups.value;
  return (mode === "full" || mode === "props") && saved.has(parent) && context.host.exists(parent);
}

/** Whether a new v1 cgroup has this file, as far as those around it tell: all but the root of a hierarchy are alike. */
function offered(context: Context, parent: string, name: string): boolean {
  const { host } = context;
  const at = nearest(context, parent);
  if (!host.exists(`${at}/cgroup.sane_behavior`)) return host.exists(`${at}/${name}`);
  // Only the root has that file; it may lack others.
  if (host.exists(`${at}/${name}`)) return true;
  const root = host.root(at);
  const below = root.ok
    ? root.root.list("/").find((entry) => host.exists(`${at}/${entry}/tasks`))
    : undefined;
  return below === undefined || host.exists(`${at}/${below}/${name}`);
}

/** What a cpuset that CRIU makes on the way, and writes nothing into, will have: nothing unless it is cloned from its parent. */
function inherited(context: Context, path: string, name: string): string | undefined {
  const { host } = context;
  const at = nearest(context, path);
  const cloned = host.read(`${at}/cgroup.clone_children`)?.trim();
  return cloned === "0" ? "" : cloned === "1" ? host.read(`${at}/${name}`)?.trim() : undefined;
}

/**
 * Why a v1 hierarchy refuses a value below this parent, if it surely does. `saved`: CRIU makes the parent as well and
 * gives it what it had.
 */
function refusal(
  context: Context,
  parent: string,
  name: string,
  value: string,
  properties: ReadonlyMap<string, string>,
  exists: boolean,
  saved: boolean,
): { problem: string; errno?: string } | undefined {
  const { host } = context;
  if (name === "cpuset.cpus" || name === "cpuset.mems") {
    const wanted = numbers(value);
    const above = host.read(`${parent}/${name}`)?.trim() ?? inherited(context, parent, name);
    const allowed = above === undefined || saved ? undefined : numbers(above);
    if (wanted === undefined || allowed === undefined || exists) return undefined;
    if ([...wanted].every((n) => allowed.has(n))) return undefined;
    return { problem: `it was ${value}, and ${parent} has ${above || "none"}` };
  }
  const time = (at: string, what: string) => Number(host.read(`${at}/${what}`)?.trim());
  if (name === "cpu.cfs_quota_us" && Number(value) > 0) {
    const part = Number(value) / Number(properties.get("cpu.cfs_period_us"));
    for (const at of upward(parent)) {
      if (!host.exists(`${at}/${name}`)) break;
      const quota = time(at, name);
      if (!(quota > 0)) continue;
      const most = quota / time(at, "cpu.cfs_period_us");
      if (!(part > most * 1.001)) return undefined;
      return {
        problem: `it was ${value} µs, ${percent(part)} of a processor, and ${at} has ${percent(most)}`,
        errno: "Invalid argument",
      };
    }
  }
  if (name === "cpu.rt_runtime_us" && Number(value) > 0) {
    const part = Number(value) / Number(properties.get("cpu.rt_period_us") ?? 1_000_000);
    const most = time(parent, name) / time(parent, "cpu.rt_period_us");
    if (part > most * 1.001)
      return {
        problem: `it was ${value} µs, and ${parent} has ${time(parent, name)} µs of real time`,
        errno: "Invalid argument",
      };
  }
  return undefined;
}

const percent = (part: number) => `${Math.round(part * 100)}%`;

/** Made beforehand, a cgroup keeps what it has; one of cpuset must be given processors to be joined. */
function remedyOf(
  { request }: Context,
  directory: string,
  { controllers, properties }: SavedDirectory,
  exists: boolean,
): Remedy {
  const option = (name: string, text: string): Remedy => ({
    kind: "option",
    text,
    option: `--manage-cgroups=${name}`,
    automatic: false,
  });
  if (exists) return option("soft", "leave the cgroups that are there as they are");
  if (request.manageCgroups.value !== "soft" || properties.has("cpuset.cpus"))
    return option(
      "ignore",
      "let the tree stay in the cgroup that the restore is run from, without its old limits",
    );
  return {
    kind: "human",
    text: `make the ${controllers[0] === "" ? "cgroup" : `${controllers.join(",")} cgroup`} beforehand: CRIU leaves its settings alone then`,
    command: sh`mkdir -p ${directory}`,
  };
}
