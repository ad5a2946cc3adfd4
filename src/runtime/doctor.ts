/** Which container runtimes are here, whether they can restore, and whether recriu guards them. */
import { realpathSync } from "node:fs";
import { join, searched } from "../sys/path.ts";
import type { Looked } from "../checks/doctor.ts";
import { readRecord } from "./install/changes.ts";
import { readsElsewhere, startedWith } from "./install/daemon.ts";
import { viewOf } from "./install/judge.ts";
import type { Target } from "./install/targets.ts";
import { findRuntime } from "./real.ts";
import { sh } from "../sys/shell.ts";

interface Runtime {
  name: Target;
  /** The program that says its version, and how it is asked. */
  program: string;
  /** Words of its version that say it can use CRIU; undefined: every build can. */
  supports?: RegExp;
}

const runtimes: readonly Runtime[] = [
  { name: "runc", program: "runc" },
  { name: "crun", program: "crun", supports: /\+CRIU/ },
  { name: "podman", program: "podman" },
  { name: "docker", program: "dockerd" },
  { name: "containerd", program: "containerd" },
  { name: "crio", program: "crio" },
];

/** A fact for each runtime that is found: version, CRIU, and by which way recriu guards it. */
export async function runtimeFacts(env: Record<string, string | undefined>): Promise<Looked[]> {
  const installed = new Set(readRecord("").map(({ target }) => target));
  const onPath = installed.has("criu") || criuIsRecriu(env.PATH);
  const facts = runtimes.map(async ({ name, program, supports }): Promise<Looked | undefined> => {
    const { path } = findRuntime(program, env.PATH);
    if (path === undefined) return undefined;
    const version = await versionOf(path);
    const own = installed.has(name) ? await wrapperOf(name, env) : undefined;
    const guard =
      own?.guards === true
        ? "guarded by its wrapper"
        : onPath
          ? "guarded by recriu as criu"
          : undefined;
    const built = supports === undefined || supports.test(version);
    const number = /\d+\.\d+[\w.+~-]*/.exec(version)?.[0] ?? "unknown version";
    if (own !== undefined && own.why !== "")
      return {
        name,
        state: "warning",
        found: `${path} ${number}, ${guard ?? "installed, and not guarded"}; ${own.why}`,
        means: sh`look at its configuration; recriu uninstall --runtime=${name} takes recriu out of it`,
      };
    return {
      name,
      state: built && guard !== undefined ? "ok" : "warning",
      found: `${path} ${number}, ${built ? (guard ?? "not guarded") : "built without CRIU"}`,
      means: built
        ? `its restores run without recriu: ${sh`recriu install --runtime=${name} --dry-run`}`
        : "it cannot restore at all",
    };
  });
  return (await Promise.all(facts)).filter((fact) => fact !== undefined);
}

/** Whether what was installed holds, as the runtime's own program has it; where that cannot be asked, what recriu wrote stands. */
async function wrapperOf(
  target: Target,
  env: Record<string, string | undefined>,
): Promise<{ guards: boolean; why: string }> {
  const elsewhere = readsElsewhere(target, startedWith(target, env));
  if (elsewhere !== undefined) return { guards: false, why: elsewhere };
  const view = await viewOf(target, env);
  if (view.kind === "unasked") return { guards: true, why: "" };
  if (view.kind === "refused")
    return { guards: false, why: `${view.program} refuses its configuration: ${view.why}` };
  return view.guards
    ? { guards: true, why: "" }
    : {
        guards: false,
        why: `what ${view.program} has of its configuration does not come to recriu`,
      };
}

async function versionOf(path: string): Promise<string> {
  try {
    const child = Bun.spawn([path, "--version"], {
      stdout: "pipe",
      stderr: "ignore",
      timeout: 5000,
    });
    return await new Response(child.stdout).text();
  } catch {
    return "";
  }
}

/** Whether the first criu in PATH is recriu. */
function criuIsRecriu(path: string | undefined): boolean {
  for (const dir of searched(path)) {
    try {
      return realpathSync.native(join(dir, "criu")) === realpathSync.native(process.execPath);
    } catch {
      // not here
    }
  }
  return false;
}
