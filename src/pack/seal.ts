/** Seal a checkpoint: write down what its images, and the files that its tree needs, are now. */

import { readFileSync } from "node:fs";
import { release } from "node:os";
import { basename, dirname } from "../sys/path.ts";
import { filesNeeded, namespacesOf } from "../checks/index.ts";
import { type Hashing, type Manifest, imagesIn, manifestOf, sumsOf } from "../image/index.ts";
import { isArchive } from "../image/archive.ts";
import { requestFrom } from "../criu/index.ts";
import { preflight, type Preflight, type PreflightResult } from "../plan/preflight.ts";
import { replaceFile, writeAll } from "../sys/own-file.ts";
import { version } from "../report/version.ts";
import { preflightArchive } from "../runtime/archive.ts";

type Sealed =
  { ok: true; file: string; manifest: Manifest; bytes: number } | { ok: false; problem: string };

/** Seal a directory of images or an archive that Podman exported. `words`: options of a restore that say where its files are. */
export async function seal(
  target: string,
  words: readonly string[],
  hashing: Hashing | undefined,
): Promise<Sealed> {
  const archive = isArchive(target);
  const looked = await look(target, archive, words);
  if (!looked.ok) return looked;
  const { preflight: found } = looked;
  const fault = found.checkpoint.faults.find(({ kind }) => kind !== "absent");
  if (fault !== undefined)
    return { ok: false, problem: `${fault.file}: ${fault.problem}; what is damaged is not sealed` };
  const dir = archive ? dirname(target) : target;
  const file = manifestOf(target, archive);
  try {
    const names = archive ? [basename(target)] : imagesIn(dir);
    const images = sumsOf(dir, names, hashing);
    const manifest = { ...about(found), images, files: filesOf(found) };
    replaceFile(file, 0o666, (fd) =>
      writeAll(fd, Buffer.from(`${JSON.stringify(manifest, undefined, 1)}\n`)),
    );
    const bytes = Object.values(images).reduce((sum, { size }) => sum + size, 0);
    return { ok: true, file, manifest, bytes };
  } catch (error) {
    return { ok: false, problem: (error as Error).message };
  }
}

async function look(
  target: string,
  archive: boolean,
  words: readonly string[],
): Promise<PreflightResult> {
  if (archive) return preflightArchive(target, words, [], () => undefined);
  const asked = requestFrom(["-D", target, ...words], process.env, []);
  if (!asked.ok) return { ok: false, problem: asked.asked === undefined ? asked.problem : "" };
  return preflight(asked.request, asked.settings, { seal: () => undefined });
}

function about({ criu }: Preflight): Omit<Manifest, "images" | "files"> {
  const info = readFileSync("/proc/cpuinfo", "utf8");
  const flags = /^(?:flags|Features)\s*: (.*)$/m.exec(info)?.[1] ?? "";
  return {
    schema: 1,
    recriu: version,
    criu: criu?.version ?? null,
    kernel: release(),
    machine: process.arch,
    cpu: flags.split(" ").filter((flag) => flag !== ""),
  };
}

function filesOf({ checkpoint, host, request, settings, criu }: Preflight): Manifest["files"] {
  const namespaces = namespacesOf(checkpoint, host, request);
  const files = filesNeeded({ checkpoint, host, request, settings, criu, namespaces });
  return [...new Map(files.map(({ file }) => [file.path, file])).values()];
}
