import { seal } from "../pack/seal.ts";
import type { SealDocument } from "../report/documents.ts";
import { exitCode } from "../report/outcome.ts";
import { hashingReport } from "../report/progress.ts";
import { refused, said, type Told } from "../report/told.ts";
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
    description: "the root file system that the tree will have",
  },
  json: { type: "boolean", description: "the manifest on stdout" },
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
    const { root } = parsed.values;
    const hashing = hashingReport();
    const sealed = await seal(
      target,
      root === undefined ? [] : ["--root", String(root)],
      hashing.tell,
    );
    hashing.end();
    if (!sealed.ok)
      return refused("seal", exits[sealed.at], `${sealed.problem}; nothing was sealed`);
    const { manifest, file, bytes } = sealed;
    const count = Object.keys(manifest.images).length;
    const sizes = `${count} images, ${(bytes / 1048576).toFixed(1)} MiB`;
    return {
      exit: exitCode.ok,
      ...(parsed.values.json === true && { json: manifest satisfies SealDocument }),
      lines: [said`${file}: ${sizes}; ${manifest.files.length} files outside them`],
    };
  },
};

const exits = {
  target: exitCode.usage,
  images: exitCode.images,
  manifest: exitCode.unable,
} as const;
