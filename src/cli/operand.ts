/** A checkpoint that is named without -D. `criu restore` takes no operand, so none of its command lines means another thing. */
import { parseWords, type RecriuOption } from "../criu/index.ts";
import { isArchive } from "../image/archive.ts";
import { STDIN } from "../image/archive-source.ts";
import { statAt } from "../sys/look.ts";

/** The words with -D before their one operand, where that is a directory, an archive, a path or `-`; else as they are. */
export function withOperand(
  words: readonly string[],
  options: readonly RecriuOption[],
): readonly string[] {
  const parsed = parseWords(words, { recriu: options });
  if (!parsed.ok || parsed.operands.length !== 1 || parsed.rest !== undefined) return words;
  if (parsed.options.some(({ name }) => name === "exec-cmd" || name === "images-dir")) return words;
  const operand = parsed.operands[0]!;
  if (operand === "-") return ["-D", STDIN, ...words.toSpliced(parsed.operandAt!, 1)];
  const stat = statAt(operand);
  const isCheckpoint =
    typeof stat === "number" ? operand.includes("/") : stat.isDirectory() || isArchive(operand);
  return isCheckpoint ? ["-D", operand, ...words.toSpliced(parsed.operandAt!, 1)] : words;
}
