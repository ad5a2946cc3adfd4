import { pack, unfit } from "../pack/pack.ts";
import { findCriu, identify } from "../criu/index.ts";
import { sealOf } from "../image/index.ts";
import { exitCode } from "../report/outcome.ts";
import { hashingReport } from "../report/progress.ts";
import { type Line, refused, said, type Told } from "../report/told.ts";
import type { Command } from "./command.ts";
import { parseStrictly } from "./arguments.ts";

const args = {
  checkpoint: {
    type: "positional",
    description: "a sealed directory of images (with --with-files: a directory of images)",
  },
  output: {
    type: "string",
    alias: "o",
    valueHint: "FILE",
    description: "write the archive to this file; - is stdout",
  },
  "with-files": {
    type: "boolean",
    description: "seal it first, with the files that the tree uses: recriu seal --with-files",
  },
  "with-criu": {
    type: "boolean",
    description: "take along the CRIU that is in use, and its libraries",
  },
  "without-pages": {
    type: "boolean",
    description: "leave out memory, files and recriu: a small pack for preflight on other machines",
  },
  criu: { type: "string", valueHint: "PATH", description: "take along this CRIU instead" },
} as const;

export const command: Command = {
  meta: {
    name: "pack",
    description:
      "Make one archive (tar) of a sealed checkpoint, this recriu and, if wanted, CRIU: recriu restore takes it as it is. Words after -- are options of that restore.",
  },
  args,
  async run({ rawArgs }): Promise<Told> {
    const end = rawArgs.indexOf("--");
    const parsed = parseStrictly("pack", args, end < 0 ? rawArgs : rawArgs.slice(0, end));
    if (!parsed.ok) return parsed.told;
    const [dir, ...others] = parsed.operands;
    const out = parsed.values.output;
    if (dir === undefined || others.length > 0 || typeof out !== "string")
      return refused(
        "pack",
        exitCode.usage,
        "name one sealed directory, and the archive by -o FILE",
      );
    const wanted = parsed.values["with-criu"] === true || parsed.values.criu !== undefined;
    const withoutPages = parsed.values["without-pages"] === true;
    const options = end < 0 ? [] : rawArgs.slice(end + 1);
    if (withoutPages && (wanted || options.length > 0))
      return refused(
        "pack",
        exitCode.usage,
        "--without-pages makes a pack that is not restored: it takes no CRIU and no options",
      );
    const sealed = parsed.values["with-files"] === true ? await sealing(dir) : undefined;
    if (sealed !== undefined && sealed.exit !== exitCode.ok) return sealed;
    const hashing = hashingReport();
    const seal = sealOf(dir, { hashing: hashing.tell });
    const problem = unfit(dir, seal);
    hashing.end();
    if (problem !== undefined) return failed(problem, exitCode.images);
    const named = parsed.values.criu ?? (process.env.RECRIU_CRIU || undefined);
    const criu = wanted
      ? findCriu(named === undefined ? undefined : String(named), process.env)
      : undefined;
    const passed = (criu?.passed ?? []).map((word) => said`recriu pack: ${word}`);
    if (criu?.ok === false) return failed(criu.problem, exitCode.usage, passed);
    const packed = await pack({
      dir,
      files: seal?.ok === true ? seal.manifest.files : [],
      out,
      criu: criu && { path: criu.path, version: (await identify(criu.path)).version },
      withoutPages,
      options,
    });
    if (!packed.ok) return failed(packed.problem, exitCode.criuFailed, passed);
    const sizes = `${packed.members} files, ${(packed.bytes / 1048576).toFixed(1)} MiB`;
    return {
      exit: exitCode.ok,
      lines: [
        ...(sealed?.lines ?? []),
        ...passed,
        withoutPages
          ? said`${out}: ${sizes}; on each machine that may take it: recriu preflight, with this file`
          : said`${out}: ${sizes}; there: recriu restore, with this file`,
      ],
    };
  },
};

const sealing = async (dir: string): Promise<Told> =>
  (await import("./seal.ts")).command.run({ rawArgs: ["--with-files", "--", dir] });

const failed = (problem: string, exit: number, before: readonly Line[] = []): Told => ({
  exit,
  lines: [...before, said`recriu pack: ${problem}; no archive was made`],
});
