/** `recriu show --html FILE`: the page, with what a restore would meet here beside what that is about. */
import type { Checkpoint } from "../image/index.ts";
import { pageOf, type Shown } from "../report/html/page.ts";
import { exitCode } from "../report/outcome.ts";
import { refused, said, type Told } from "../report/told.ts";
import { replaceFile, writeAll } from "../sys/own-file.ts";
import { lookAt } from "./look.ts";

/** What tasks were called with, and their environments, are their owners' business. */
const MODE = 0o600;

export async function writePage(
  file: string,
  shown: Omit<Shown, "looked">,
  checkpoint: Checkpoint,
  archived: boolean,
): Promise<Told> {
  const result = await lookAt(checkpoint.dir, archived, checkpoint);
  const page = pageOf({ ...shown, looked: result.ok ? result.preflight : result });
  if (file === "-") return { exit: exitCode.ok, text: page };
  try {
    replaceFile(file, MODE, (fd) => writeAll(fd, Buffer.from(page)));
  } catch (error) {
    return refused("show", exitCode.unable, `${(error as Error).message}; no page was written`);
  }
  return { exit: exitCode.ok, lines: [said`${file}: ${(page.length / 1024).toFixed(0)} KiB`] };
}
