import { seal } from "../carry/seal.ts";
import { printJson } from "../report/json.ts";
import { exitCode } from "../report/outcome.ts";
import { hashingReport } from "../report/progress.ts";
import { harmless, line } from "../report/terminal.ts";
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
  async run({ rawArgs }): Promise<number> {
    const parsed = parseStrictly("seal", args, rawArgs);
    if (parsed === undefined) return exitCode.usage;
    const [target, ...others] = parsed.operands;
    if (target === undefined || others.length > 0) {
      line("recriu seal: name one directory of images, or one archive");
      return exitCode.usage;
    }
    const { root } = parsed.values;
    const hashing = hashingReport();
    const sealed = await seal(
      target,
      root === undefined ? [] : ["--root", String(root)],
      hashing.tell,
    );
    hashing.end();
    if (!sealed.ok) {
      line(`recriu seal: ${harmless(sealed.problem)}; nothing was sealed`);
      return exitCode.images;
    }
    const { manifest, file, bytes } = sealed;
    if (parsed.values.json === true) printJson(manifest);
    const count = Object.keys(manifest.images).length;
    line(
      `${harmless(file)}: ${count} images, ${(bytes / 1048576).toFixed(1)} MiB; ${manifest.files.length} files outside them`,
    );
    return exitCode.ok;
  },
};
