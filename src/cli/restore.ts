import { fstatSync } from "node:fs";
import { recriuOptions } from "../criu/index.ts";
import { exitCode } from "../report/outcome.ts";
import { progressReport } from "../report/progress.ts";
import { refused, type Told } from "../report/told.ts";
import { holdCriu } from "../restore/hold.ts";
import { statAt } from "../sys/look.ts";
import type { Command } from "./command.ts";
import { orElse } from "./or-else-words.ts";
import type { Asked, Came } from "./restore-asked.ts";
import { criuHelp, recriuArgs, understand } from "./request.ts";

export const appendix = criuHelp;

export const command: Command = {
  meta: {
    name: "restore",
    description:
      "Restore a checkpoint: find every obstacle, repair what is safe, run CRIU, verify the tree before it runs.",
  },
  args: recriuArgs(recriuOptions),
  async run({ rawArgs }): Promise<Told> {
    const { command: otherwise } = orElse(rawArgs);
    if (otherwise?.length === 0)
      return refused("restore", exitCode.usage, "--or-else wants a command behind it");
    const understood = understand("restore", rawArgs, recriuOptions);
    if (!understood.ok) return understood.told;
    let asked: Asked = understood;
    const progressFd = asked.settings.onCommandLine.get("progress-fd");
    if (progressFd !== undefined && !isOpen(Number(progressFd)))
      return refused(
        "restore",
        exitCode.usage,
        `--progress-fd takes an open descriptor, not ${progressFd}`,
      );
    const { json } = asked.settings;
    const progress = progressReport(
      progressFd === undefined ? undefined : Number(progressFd),
      json,
    );
    let came: Came = { exit: exitCode.criuFailed, isClean: false };
    using unpacked = new DisposableStack();
    if (isNoDirectory(asked.request.imagesDir)) {
      const { unpackedPack } = await import("./restore-pack.ts");
      const found = await unpackedPack(rawArgs, asked);
      if (found.kind === "refused") return found.told;
      if (found.kind === "pack") {
        unpacked.use(found.pack);
        asked = found;
      }
    }
    try {
      await using held = holdCriu(asked.request, asked.settings);
      // All else is loaded while CRIU starts.
      const { restoreAsked } = await import("./restore-asked.ts");
      came = await restoreAsked(asked, held, progress);
    } finally {
      progress?.done(came.exit);
    }
    if (otherwise === undefined || !came.isClean || asked.settings.rehearse)
      return { exit: came.exit, done: true };
    const { becomeOther } = await import("./or-else.ts");
    return refused("restore", came.exit, becomeOther(otherwise, asked.request));
  },
};

const isNoDirectory = (path: string): boolean => {
  const stat = statAt(path);
  return typeof stat !== "number" && !stat.isDirectory();
};

function isOpen(fd: number): boolean {
  try {
    return Number.isInteger(fd) && fd > 2 && fstatSync(fd) !== undefined;
  } catch {
    return false;
  }
}
