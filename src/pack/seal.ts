/** Seal a checkpoint: write down what its images, and the files that its tree needs, are now. */

import { readFileSync } from "node:fs";
import { release } from "node:os";
import { basename, dirname, join } from "../sys/path.ts";
import { statAt } from "../sys/look.ts";
import {
  type Context,
  directoriesAlong,
  filesAlong,
  machineOf,
  namespacesOf,
} from "../checks/index.ts";
import {
  FILES,
  type Hashing,
  imagesIn,
  LEFT_OUT,
  MANIFEST,
  type Manifest,
  manifestOf,
  signatureOf,
  smallFile,
  sumsOf,
} from "../image/index.ts";
import { isArchive, isPack } from "../image/archive.ts";
import { requestFrom } from "../criu/index.ts";
import { preflight, type Preflight } from "../plan/preflight.ts";
import { replaceFile, writeAll } from "../sys/own-file.ts";
import { forgetOthers, type TakenAlong, takeAlong } from "./take-along.ts";
import { version } from "../report/version.ts";
import { type ArchivePreflight, preflightArchive } from "./archive.ts";

/** `at`: what could not be looked at, is damaged, or could not be written; or by what it was to be signed. */
type Sealed =
  | {
      ok: true;
      file: string;
      manifest: Manifest;
      bytes: number;
      taken: TakenAlong | undefined;
      /** The key's number. */
      signedBy: string | undefined;
      /** What of an earlier seal stays, in words. */
      left: string[];
    }
  | { ok: false; at: "target" | "images" | "manifest" | "key"; problem: string };

interface Sealing {
  /** Options of a restore that say where the tree's files are. */
  readonly words: readonly string[];
  readonly hashing?: Hashing | undefined;
  /** The files that the tree needs are taken along, but for those with more bytes; undefined: none are. */
  readonly fileLimit?: number | undefined;
  /** The file of a secret key of minisign. */
  readonly sign?: string | undefined;
}

/**
 * Seal a directory of images or an archive that Podman exported. What an earlier seal had stays until the new manifest stands:
 * whatever happens before, the old one is as good as it was.
 */
export async function seal(target: string, asked: Sealing): Promise<Sealed> {
  const { words, hashing, fileLimit } = asked;
  const archive = isArchive(target);
  const key = asked.sign === undefined ? undefined : await keyIn(asked.sign);
  if (key !== undefined && "problem" in key) return failed("key", key.problem);
  if (archive && (await isPack(target)))
    return failed("target", `${target} is a pack: what is in it is sealed already`);
  if (!archive && isThere(join(target, LEFT_OUT)))
    return failed(
      "images",
      `${target} is of a pack that the memory was left out of: seal the checkpoint itself`,
    );
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
  try {
    const context = contextOf(found);
    const needed = filesAlong(context);
    const taken =
      fileLimit === undefined
        ? undefined
        : takeAlong(dir, { needed, places: directoriesAlong(context) }, fileLimit);
    const manifest: Manifest = {
      ...about(found),
      images,
      files: taken?.files ?? needed.map((each) => each.file),
      ...(taken && { directories: taken.directories }),
    };
    const text = Buffer.from(`${JSON.stringify(manifest, undefined, 1)}\n`);
    const left = leftOver(file, text, {
      dir: archive || taken !== undefined ? undefined : dir,
      signed: key !== undefined,
    });
    replaceFile(file, READABLE, (fd) => writeAll(fd, text));
    if (key !== undefined) writeSignature(key, file, text);
    if (taken !== undefined) forgetOthers(dir, taken.files);
    const bytes = Object.values(images).reduce((sum, { size }) => sum + size, 0);
    const signedBy = key?.name;
    return { ok: true, file, manifest, bytes, taken, signedBy, left };
  } catch (error) {
    return failed("manifest", (error as Error).message);
  }
}

const READABLE = 0o666;

/** A secret key with what signs by it: cryptography is loaded where it is used. */
async function keyIn(file: string) {
  const { keyName, minisignature, signingKey } = await import("../sys/minisign.ts");
  const read = smallFile(file);
  if (!("bytes" in read)) return { problem: `${file}: ${read.problem}` };
  try {
    const key = signingKey(read.bytes.toString(), MANIFEST);
    const sign = (name: string, data: Uint8Array) =>
      minisignature(key, {
        name,
        data,
        epoch: Math.floor(Date.now() / 1000),
        of: "a sealed checkpoint",
      });
    return { name: keyName(key), sign };
  } catch (error) {
    return { problem: `${file}: ${(error as Error).message}` };
  }
}

type SealingKey = Exclude<Awaited<ReturnType<typeof keyIn>>, { problem: string }>;

const writeSignature = ({ sign }: SealingKey, file: string, text: Uint8Array): void =>
  replaceFile(signatureOf(file), READABLE, (fd) =>
    writeAll(fd, Buffer.from(sign(basename(file), text))),
  );

/** What of an earlier seal stays beside this one and is no part of it. */
function leftOver(
  file: string,
  text: Buffer,
  { dir, signed }: { dir: string | undefined; signed: boolean },
): string[] {
  const words: string[] = [];
  const files = dir === undefined ? undefined : join(dir, FILES);
  if (files !== undefined && isThere(files))
    words.push(
      `${files} is an earlier seal's, and no part of this one; --with-files fills it anew`,
    );
  const before = smallFile(file);
  const same = "bytes" in before && before.bytes.equals(text);
  if (!signed && !same && isThere(signatureOf(file)))
    words.push(`${signatureOf(file)} is an earlier seal's signature: sign this one, too`);
  return words;
}

const isThere = (path: string): boolean => typeof statAt(path, false) !== "number";

const failed = (at: "target" | "images" | "manifest" | "key", problem: string): Sealed => ({
  ok: false,
  at,
  problem,
});

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

function about(found: Preflight): Omit<Manifest, "images" | "files"> {
  const info = readFileSync("/proc/cpuinfo", "utf8");
  const flags = /^(?:flags|Features)\s*: (.*)$/m.exec(info)?.[1] ?? "";
  return {
    schema: 1,
    recriu: version,
    criu: found.criu?.version ?? null,
    kernel: release(),
    machine: process.arch,
    cpu: flags.split(" ").filter((flag) => flag !== ""),
    host: machineOf(contextOf(found)),
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
