/** The release of this source, made once for all tests and again only when the source is another one. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aboutRecriu, repository } from "../../scripts/release/about.ts";
import { runHere, runIn } from "./systems.ts";

export interface Released {
  readonly dir: string;
  readonly version: string;
  /** A key pair that minisign made. */
  readonly secretKey: string;
  readonly publicKey: string;
  /** The tarball for each target, unpacked. */
  readonly unpacked: (target: string) => string;
}

const cache = join(repository, ".cache/release");
const dir = join(cache, "dist");

export async function released(): Promise<Released> {
  const { version } = await aboutRecriu();
  const stamp = join(cache, "stamp");
  const source = stampOfSource();
  const result = {
    dir,
    version,
    secretKey: join(cache, "test.key"),
    publicKey: join(cache, "test.pub"),
    unpacked: (target: string) => join(cache, `recriu-${version}-linux-${target}`),
  };
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === source) return result;
  rmSync(cache, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  // -W: without a password
  const key = ["-G", "-W", "-p", result.publicKey, "-s", result.secretKey];
  mustRun(runIn("tools", [cache], ["/usr/bin/minisign", ...key]));
  const script = join(repository, "scripts/release.ts");
  mustRun(runHere([process.execPath, script, dir], { RECRIU_SIGNING_KEY: result.secretKey }));
  for (const target of ["x64", "arm64", "x64-musl", "arm64-musl"]) {
    const archive = join(dir, `recriu-${version}-linux-${target}.tar.gz`);
    mustRun(runHere(["tar", "-xzf", archive, "-C", cache]));
  }
  writeFileSync(stamp, source);
  return result;
}

function mustRun({ exit, stderr }: { exit: number; stderr: string }): void {
  if (exit !== 0) throw new Error(stderr);
}

/** A hash of every file outside test/ that git would take, and of the last commit: its date is in the release. */
function stampOfSource(): string {
  const script =
    "git log -1 --format=%ct; git ls-files -coz --exclude-standard -- . ':!test' | xargs -0 sha256sum";
  const { stdout } = Bun.spawnSync(["sh", "-c", script], { cwd: repository });
  return createHash("sha256").update(stdout).digest("hex");
}
