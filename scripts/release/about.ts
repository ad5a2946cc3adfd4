/** What every package says of recriu. */
import { join } from "node:path";

export const repository = join(import.meta.dir, "../..");

export interface About {
  readonly version: string;
  /** Seconds since 1970: the date of every file, page and package. */
  readonly epoch: number;
  readonly summary: string;
  /** Lines. */
  readonly description: readonly string[];
  readonly license: string;
  readonly vendor: string;
}

/** From package.json, and the last commit's date unless SOURCE_DATE_EPOCH says another. */
export async function aboutRecriu(): Promise<About> {
  const { version, license } = await Bun.file(join(repository, "package.json")).json();
  return {
    version,
    epoch: epochOf(process.env["SOURCE_DATE_EPOCH"] ?? lastCommit()),
    summary: "restore CRIU checkpoints safely",
    description: [
      "recriu stands in the place of criu restore. It reads a checkpoint first,",
      "names everything that would break the restore, repairs what is safe to",
      "repair, runs the real CRIU and proves that the restored tree is the saved one.",
    ],
    license,
    vendor: "recriu <recriu@localhost>",
  };
}

function lastCommit(): string {
  const git = Bun.spawnSync(["git", "log", "-1", "--format=%ct"], { cwd: repository });
  return git.stdout.toString().trim();
}

function epochOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new Error("this is no git checkout: SOURCE_DATE_EPOCH has to say the date of the release");
}
