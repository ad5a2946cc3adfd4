/** Other systems to look at a release with, and to run it on: what scripts/setup tests unpacks in .cache/systems. */
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../scripts/release/about.ts";

export type System = "tools" | "oldest" | "arm64";

export const systemRoot = (name: System): string => join(repository, ".cache/systems", name);

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function runHere(argv: readonly string[], env: Record<string, string> = {}): Ran {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv], {
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdin: "ignore",
  });
  return { exit: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** The words that run a program in a system, where these directories of this machine are seen at their own paths. */
export const wordsIn = (
  system: System,
  binds: readonly string[],
  argv: readonly string[],
): string[] => {
  const enter = join(import.meta.dir, "enter.sh");
  return ["unshare", "--mount", "sh", enter, systemRoot(system), ...binds, "--", ...argv];
};

export const runIn = (system: System, binds: readonly string[], argv: readonly string[]): Ran =>
  runHere(wordsIn(system, binds, argv), { HOME: "/tmp" });

/** The words that run a program of arm64 here. */
export const onArm64 = (binary: string): string[] => [
  join(systemRoot("tools"), "usr/bin/qemu-aarch64-static"),
  "-L",
  systemRoot("arm64"),
  binary,
];

/** The words that run an x86-64 program on a CPU of 2008, without AVX. */
export const withoutAvx = (binary: string): string[] => [
  join(systemRoot("tools"), "usr/bin/qemu-x86_64-static"),
  "-cpu",
  "Nehalem",
  binary,
];

/**
 * The words that run an x86-64 program for musl: Debian's loader with the C++ libraries that Alpine would have. They
 * are Debian's own, for glibc, with test/release/musl-libs.c for what musl does not have; in `dir`.
 */
export function onMusl(dir: string, binary: string): string[] {
  const tools = systemRoot("tools");
  mkdirSync(dir, { recursive: true });
  cpSync(join(tools, "usr/lib/x86_64-linux-gnu/libstdc++.so.6"), join(dir, "libstdc++.so.6"), {
    dereference: true,
  });
  cpSync(join(tools, "lib/x86_64-linux-gnu/libgcc_s.so.1"), join(dir, "libgcc_s.so.1"));
  const source = join(import.meta.dir, "musl-libs.c");
  const library = join(dir, "ld-linux-x86-64.so.2");
  const built = runHere(["cc", "-shared", "-nostdlib", "-fPIC", "-o", library, source]);
  if (built.exit !== 0) throw new Error(built.stderr);
  return [join(tools, "lib/ld-musl-x86_64.so.1"), "--library-path", dir, binary];
}

/** The words that run a program of the tools here, not in their own root. */
export const tool = (path: string): string[] => {
  const root = systemRoot("tools");
  const libraries = ["lib", "usr/lib"].map((lib) => join(root, lib, "x86_64-linux-gnu")).join(":");
  return [join(root, "lib64/ld-linux-x86-64.so.2"), "--library-path", libraries, join(root, path)];
};
