/** Sealed checkpoints: manifests of others, and what they would put back; packs of them. */
import { generateKeyPairSync } from "node:crypto";
import { closeSync, mkdirSync, openSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { namespacesOf, runChecks } from "../../src/checks/index.ts";
import { thisHost } from "../../src/host/index.ts";
import { openArchive } from "../../src/image/archive.ts";
import {
  FILES,
  imagesIn,
  MANIFEST,
  openCheckpoint,
  packedPiece,
  PIECE,
  piecesOf,
  sealOf,
  sumsOf,
} from "../../src/image/index.ts";
import { CONTENTS, SCRIPT } from "../../src/pack/layout.ts";
import { unpack } from "../../src/pack/unpack.ts";
import { onlySafely } from "../../src/plan/safe.ts";
import { makeDirectory, unmakeDirectory } from "../../src/repair/directory.ts";
import { unmakeEntry } from "../../src/repair/entry.ts";
import { makeFifo } from "../../src/repair/fifo.ts";
import { putFile } from "../../src/repair/file.ts";
import type { Step } from "../../src/repair/step.ts";
import { minisignature, signerOf } from "../../src/sys/minisign.ts";
import { contextOf } from "../checks/context.ts";
import { fixture, image } from "../image/fixture.ts";
import { mutateBytes, mutateJson, mutateLines, mutateTar } from "./mutate.ts";
import type { Target } from "./target.ts";

const noOne = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };

/** A task that stands in `place`, which is gone, and has a file in it open: its images, as a directory below `dir`. */
function imagesOf(dir: string, place: string): string {
  const images = join(dir, "checkpoint/images");
  mkdirSync(join(images, FILES), { recursive: true });
  const names = [
    ["/", 0o40755],
    ["/dev/null", 0o20666],
    [`${place}/in/log`, 0o100644],
    [`${place}/in`, 0o40755],
  ] as const;
  const files = names.map(([name, mode], at) => {
    const reg = { id: at + 1, flags: 0, pos: 0n, fown: noOne, name, mode };
    return { type: 1, id: at + 1, reg: at === 2 ? { ...reg, size: 1n } : reg };
  });
  const whole = {
    ...fixture(),
    "files.img": image("files.img", files),
    "fs-10.img": image("fs-10.img", [{ cwd_id: 4, root_id: 1 }]),
  };
  for (const [name, bytes] of Object.entries(whole)) writeFileSync(join(images, name), bytes);
  return images;
}

/** The targets, which keep what they need below `dir`. */
export function sealedTargets(dir: string): Record<string, Target> {
  const place = join(dir, "place");
  mkdirSync(place);
  const images = imagesOf(dir, place);
  const sha256 = new Bun.CryptoHasher("sha256").update("x").digest("hex");
  writeFileSync(join(images, FILES, sha256), "x");
  const mtime = "2026-01-01T00:00:00.000Z";
  const taken = { sha256, uid: 0, gid: 0, xattrs: { "user.a": "eA==" }, newer: false };
  const manifest = {
    schema: 1,
    recriu: "0.1.0",
    criu: null,
    kernel: "6.1",
    machine: "x64",
    cpu: ["fpu"],
    host: {
      page_size: 4096,
      processors: 2,
      memory: 1 << 30,
      limits: { memory: 1 << 20, processors: 1.5 },
      lsm: ["capability", "apparmor"],
      gpus: [{ model: "NVIDIA L4", driver: null }],
    },
    images: sumsOf(images, imagesIn(images)),
    files: [
      { path: "/bin/true", size: 1, mode: 0o755, build_id: null },
      { path: `${place}/in/log`, size: 1, mode: 0o644, build_id: null, mtime, taken },
      {
        path: "/a/b",
        size: 1,
        mode: 0o644,
        build_id: null,
        taken: { ...taken, packed: { size: 9, sha256 } },
      },
    ],
    directories: [{ path: `${place}/in`, mode: 0o755, uid: 0, gid: 0 }],
  };
  const seed = generateKeyPairSync("ed25519");
  const id = Buffer.alloc(8, 1);
  const signing = { id, key: seed.privateKey, secret: true } as const;
  const keys = [{ id, key: seed.publicKey, secret: false } as const];
  const signed = Buffer.from("{}");
  const made = { name: MANIFEST, data: signed, epoch: 0, of: "a seal" };
  const signature = Buffer.from(minisignature(signing, made));
  const packed = Buffer.concat(
    [Buffer.alloc(PIECE, "ab"), Buffer.from("the end")].flatMap(packedPiece),
  );
  const text = JSON.stringify(manifest, undefined, 1);
  writeFileSync(join(images, MANIFEST), text);
  writeFileSync(join(dir, "checkpoint", SCRIPT), "");
  const contents = { schema: 1, options: ["--tcp-close", "--root=/x"], criu: {} };
  writeFileSync(join(dir, "checkpoint", CONTENTS), JSON.stringify(contents));
  const files = [SCRIPT, CONTENTS, `images/${MANIFEST}`, `images/${FILES}/${sha256}`];
  const names = [...files, ...imagesIn(images).map((name) => `images/${name}`)];
  const members = names.map((name) => `checkpoint/${name}`);
  const tar = Bun.spawnSync(["tar", "-C", dir, "-cf", "-", ...members]).stdout;
  return {
    manifest: {
      make: (dice) => ({
        name: MANIFEST,
        bytes: dice(2) === 0 ? mutateLines(dice, Buffer.from(text)) : mutateJson(dice, manifest),
      }),
      read(name, bytes) {
        writeFileSync(join(images, name), bytes);
        putBackAndTakeBack(images);
        if (readdirSync(place).length > 0) throw new Error("what was put back is left");
      },
    },
    signature: {
      make: (dice) => ({
        name: "recriu.manifest.minisig",
        bytes: (dice(4) === 0 ? mutateBytes : mutateLines)(dice, signature),
      }),
      read(_, bytes) {
        const found = signerOf(signed, Buffer.from(bytes).toString(), keys);
        if ("problem" in found && found.problem === "") throw new Error("no problem is told");
      },
    },
    beside: {
      make: (dice) => ({ name: "beside.zst", bytes: mutateBytes(dice, packed) }),
      read(name, bytes) {
        const path = join(dir, name);
        writeFileSync(path, bytes);
        const fd = openSync(path, "r");
        try {
          for (const piece of piecesOf(fd, path)) if (piece.length > PIECE) throw new Error("more");
        } catch (error) {
          if ((error as Error).message !== "its bytes are not those that were sealed") throw error;
        } finally {
          closeSync(fd);
        }
      },
    },
    pack: {
      make: (dice) => ({ name: "pack.tar", bytes: mutateTar(dice, tar) }),
      async read(name, bytes) {
        writeFileSync(join(dir, name), bytes);
        const fd = openSync(join(dir, name), "r");
        const unpacked = await unpack(fd, undefined);
        if (unpacked.ok) unpacked.pack[Symbol.dispose]();
        closeSync(fd);
        const opened = await openArchive(join(dir, name));
        if (!opened.ok) return;
        try {
          sealOf(opened.archive.dir);
          const found = openCheckpoint(opened.archive.dir);
          if (found.ok) found.checkpoint.readEverything();
        } finally {
          opened.archive.dispose();
        }
      },
    },
  };
}

const only = ["file-missing", "cwd-missing", "image-altered"];

/** Carry out all that preflight would, and undo it. */
function putBackAndTakeBack(images: string): void {
  const faked = contextOf(images, { seal: sealOf(images) });
  const host = thisHost(false);
  const namespaces = namespacesOf(faked.checkpoint, host, faked.request);
  const context = { ...faked, host, namespaces };
  const steps: Step[] = [];
  // Of the two of one thing the second says which it is.
  const record = (step: Step) => void (step.inode !== undefined && steps.push(step));
  for (const { remedy, id, message } of runChecks(context, { only, ignore: [] }).map(onlySafely)) {
    if (id === "check-crashed") throw new Error(message);
    if (remedy.kind !== "repair") continue;
    const { repair } = remedy;
    if (repair.action === "mkdir") makeDirectory(repair, record);
    else if (repair.action === "fifo") makeFifo(repair, record);
    else putFile(repair, record);
  }
  for (const step of steps.toReversed())
    if (step.action === "mkdir") unmakeDirectory(step);
    else unmakeEntry(step);
}
