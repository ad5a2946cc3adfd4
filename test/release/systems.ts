/** Other systems to look at a release with, and to run it on: what scripts/setup tests unpacks in .cache/systems. */
import { cpSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
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
 * The words that run a program for musl: Debian's loader with the C++ libraries that Alpine would have. They are
 * Debian's own, for glibc, with musl-libs in the place of glibc's loader for what musl does not have; in `dir`.
 */
export function onMusl(target: "x64" | "arm64", dir: string, binary: string): string[] {
  const x64 = target === "x64";
  const machine = x64 ? "x86_64" : "aarch64";
  const root = systemRoot(x64 ? "tools" : "arm64");
  mkdirSync(dir, { recursive: true });
  for (const library of ["usr/lib/*/libstdc++.so.6", "lib/*/libgcc_s.so.1"]) {
    const from = join(root, library.replace("*", `${machine}-linux-gnu`));
    cpSync(from, join(dir, basename(library)), { dereference: true });
  }
  const shim = join(dir, x64 ? "ld-linux-x86-64.so.2" : "ld-linux-aarch64.so.1");
  const object = join(dir, "shim.o");
  const steps = x64
    ? [["cc", "-shared", "-nostdlib", "-fPIC", "-o", shim, join(import.meta.dir, "musl-libs.c")]]
    : [
        ["aarch64-linux-gnu-as", "-o", object, join(import.meta.dir, "musl-libs-arm64.s")],
        ["aarch64-linux-gnu-ld", "-shared", "-o", shim, object],
      ];
  for (const step of steps) {
    const built = runHere(step);
    if (built.exit !== 0) throw new Error(built.stderr);
  }
  const loader = join(root, `lib/ld-musl-${machine}.so.1`);
  const run = [loader, "--preload", shim, "--library-path", dir, binary];
  return x64 ? run : [...onArm64(run[0]!), ...run.slice(1)];
}

/** The words that run a program of the tools here, not in their own root. */
export const tool = (path: string): string[] => {
  const root = systemRoot("tools");
  const libraries = ["lib", "usr/lib"].map((lib) => join(root, lib, "x86_64-linux-gnu")).join(":");
  return [join(root, "lib64/ld-linux-x86-64.so.2"), "--library-path", libraries, join(root, path)];
};
