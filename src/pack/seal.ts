/** Seal a checkpoint: write down what its images, and the files that its tree needs, are now. */

import { readFileSync } from "node:fs";
import { release } from "node:os";
import { basename, dirname } from "../sys/path.ts";
import { type Context, directoriesAlong, filesAlong, namespacesOf } from "../checks/index.ts";
import { type Hashing, type Manifest, imagesIn, manifestOf, sumsOf } from "../image/index.ts";
import { isArchive } from "../image/archive.ts";
import { requestFrom } from "../criu/index.ts";
import { preflight, type Preflight } from "../plan/preflight.ts";
import { replaceFile, writeAll } from "../sys/own-file.ts";
import { type TakenAlong, takeAlong } from "./take-along.ts";
import { version } from "../report/version.ts";
import { type ArchivePreflight, preflightArchive } from "./archive.ts";

/** `at`: what could not be looked at, is damaged, or could not be written. */
type Sealed =
  | {
      ok: true;
      file: string;
      manifest: Manifest;
      bytes: number;
      taken: TakenAlong | undefined;
    }
  | { ok: false; at: "target" | "images" | "manifest"; problem: string };

/**
 * Seal a directory of images or an archive that Podman exported. `words`: options of a restore that say where its files are.
 * `fileLimit`: the files that the tree needs are taken along, but for those with more bytes.
 */
export async function seal(
  target: string,
  words: readonly string[],
  hashing: Hashing | undefined,
  fileLimit?: number,
): Promise<Sealed> {
  const archive = isArchive(target);
  const looked = await look(target, archive, words);
  if (!looked.ok)
    return { ...looked, at: "damaged" in looked && looked.damaged ? "images" : "target" };
  const { preflight: found } = looked;
  const fault = found.checkpoint.faults.find(({ kind }) => kind !== "absent");
  if (fault !== undefined)
    return failed("images", `${fault.file}: ${fault.problem}; what is damaged is not sealed`);
  const dir = archive ? dirname(target) : target;
  const file = manifestOf(target, archive);
  let images: Manifest["images"];
  try {
    images = sumsOf(dir, archive ? [basename(target)] : imagesIn(dir), hashing);
  } catch (error) {
    return failed("images", (error as Error).message);
  }
  const context = contextOf(found);
  const needed = filesAlong(context);
  let taken: TakenAlong | undefined;
  try {
    if (fileLimit !== undefined)
      taken = takeAlong(dir, { needed, places: directoriesAlong(context) }, fileLimit);
  } catch (error) {
    return failed("manifest", (error as Error).message);
  }
  const files = taken?.files ?? needed.map((each) => each.file);
  const manifest: Manifest = {
    ...about(found),
    images,
    files,
    ...(taken && { directories: taken.directories }),
  };
  try {
    replaceFile(file, 0o666, (fd) =>
      writeAll(fd, Buffer.from(`${JSON.stringify(manifest, undefined, 1)}\n`)),
    );
  } catch (error) {
    return failed("manifest", (error as Error).message);
  }
  const bytes = Object.values(images).reduce((sum, { size }) => sum + size, 0);
  return { ok: true, file, manifest, bytes, taken };
}

const failed = (at: "images" | "manifest", problem: string): Sealed => ({ ok: false, at, problem });

async function look(
  target: string,
  archive: boolean,
  words: readonly string[],
): Promise<ArchivePreflight> {
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

const contextOf = ({ checkpoint, host, request, settings, criu }: Preflight): Context => ({
  checkpoint,
  host,
  request,
  settings,
  criu,
  namespaces: namespacesOf(checkpoint, host, request),
  isolate: new Set(),
  isolateDirs: [],
  replaced: [],
});
