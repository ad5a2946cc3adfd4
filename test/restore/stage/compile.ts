import { mkdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../built.ts";

const sources = join(repository, "test/workloads");
/** Where the programs are: for another machine scripts/systems has them elsewhere, and another compiler. */
const binaries = process.env["RECRIU_WORKLOADS"] || join(repository, ".cache/workloads");
const compiler = process.env["CC"] || "cc";
const moreFlags = process.env["CFLAGS"]?.split(" ") ?? [];

/** Compiles test/workloads/NAME.c when the binary is older than it; returns the binary's path. `alone`: without libraries. */
export function compile(name: string, alone = name === "container"): string {
  const source = join(sources, `${name}.c`);
  const binary = join(binaries, alone ? `${name}-static` : name);
  const built = statSync(binary, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const header = join(sources, "workload.h");
  if (built > Math.max(statSync(source).mtimeMs, statSync(header).mtimeMs)) return binary;
  mkdirSync(binaries, { recursive: true });
  const fresh = `${binary}.${process.pid}`;
  const flags = [
    "-O1",
    "-Wall",
    "-Wextra",
    "-pthread",
    ...moreFlags,
    ...(alone ? ["-static"] : []),
    ...(["plugin", "old-vdso"].includes(name) ? ["-shared", "-fPIC"] : []),
  ];
  const cc = Bun.spawnSync([compiler, ...flags, "-o", fresh, source]);
  if (!cc.success) throw new Error(`${compiler} ${source}: ${cc.stderr.toString()}`);
  renameSync(fresh, binary); // whoever runs the old one keeps it
  return binary;
}
