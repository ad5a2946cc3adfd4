import { isArchive } from "../image/archive.ts";
import { seal } from "../pack/seal.ts";
import type { TakenAlong } from "../pack/take-along.ts";
import type { SealDocument } from "../report/documents.ts";
import { exitCode } from "../report/outcome.ts";
import { hashingReport } from "../report/progress.ts";
import { type Line, refused, said, type Told } from "../report/told.ts";
import type { Command } from "./command.ts";
import { parseStrictly } from "./arguments.ts";

const args = {
  checkpoint: {
    type: "positional",
    description: "a directory of images, or an archive that Podman exported",
  },
  root: {
    type: "string",
    valueHint: "DIR",
    description: "look for the tree's files below DIR, the root that it will be restored in",
  },
  "with-files": {
    type: "boolean",
    description: "take along the programs, libraries and files that the tree uses",
  },
  "file-limit": {
    type: "string",
    valueHint: "MIB",
    description: "with --with-files: leave out files of more than MIB MiB (default 64)",
  },
  sign: {
    type: "string",
    valueHint: "KEYFILE",
    description: "sign the manifest by this secret key of minisign (recriu.manifest.minisig)",
  },
  json: { type: "boolean", description: "print the manifest on stdout, too" },
} as const;

export const command: Command = {
  meta: {
    name: "seal",
    description:
      "Write recriu.manifest beside the images: sha256 and size of each, and what the files outside them are. preflight and restore check it.",
  },
  args,
  async run({ rawArgs }): Promise<Told> {
    const parsed = parseStrictly("seal", args, rawArgs);
    if (!parsed.ok) return parsed.told;
    const [target, ...others] = parsed.operands;
    if (target === undefined || others.length > 0)
      return refused("seal", exitCode.usage, "name one directory of images, or one archive");
    const { root, sign } = parsed.values;
    if (sign === "") return refused("seal", exitCode.usage, "--sign wants the file of a key");
    const limit = limitOf(parsed.values["with-files"] === true, parsed.values["file-limit"]);
    if (typeof limit === "string") return refused("seal", exitCode.usage, limit);
    if (limit !== undefined && isArchive(target))
      return refused("seal", exitCode.usage, "an archive of an engine's brings its own files");
    const hashing = hashingReport();
    const sealed = await seal(target, {
      words: root === undefined ? [] : ["--root", String(root)],
      hashing: hashing.tell,
      fileLimit: limit,
      sign: sign === undefined ? undefined : String(sign),
    });
    hashing.end();
    if (!sealed.ok)
      return refused("seal", exits[sealed.at], `${sealed.problem}; nothing was sealed`);
    const { manifest, file, bytes, taken, signedBy, left } = sealed;
    const count = Object.keys(manifest.images).length;
    const sizes = `${count} ${count === 1 ? "image" : "images"}, ${(bytes / 1048576).toFixed(1)} MiB`;
    return {
      exit: exitCode.ok,
      ...(parsed.values.json === true && { json: manifest satisfies SealDocument }),
      lines: [
        said`${file}: ${sizes}; ${manifest.files.length} files outside them`,
        ...(taken === undefined ? [] : toldOf(taken)),
        ...(signedBy === undefined ? [] : [said`signed by the key ${signedBy}`]),
        ...left.map((words) => said`${words}`),
      ],
    };
  },
};

/** Bytes; undefined: no files are taken along; or what is wrong. */
function limitOf(withFiles: boolean, limit: unknown): number | string | undefined {
  if (!withFiles) return limit === undefined ? undefined : "--file-limit is for --with-files";
  const mib = String(limit ?? 64);
  return /^[1-9]\d{0,8}$/.test(mib)
    ? Number(mib) * 1048576
    : "--file-limit wants a number of MiB, from 1 on";
}

const toldOf = ({ files, left, bytes, shared }: TakenAlong): Line[] => [
  said`taken along: ${files.length - left.length} files, ${(bytes / 1048576).toFixed(1)} MiB; whoever reads them reads the secrets in them`,
  ...(shared === 0
    ? []
    : [
        said`${shared} of them are one file with what a seal beside this one took along (hard links)`,
      ]),
  ...left.map(({ path, why }) => said`left out: ${path}: ${why}`),
];

const exits = {
  target: exitCode.usage,
  key: exitCode.usage,
  images: exitCode.images,
  manifest: exitCode.unable,
} as const;
