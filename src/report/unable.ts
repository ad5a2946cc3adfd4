/** What recriu says when it cannot go on: why, an exit code of its contract, and a document where one was asked for. */
import { reportOfNothing } from "./json.ts";
import { exitCode } from "./outcome.ts";
import { said, type Told } from "./told.ts";

/** Commands whose report has a shape for nothing. */
const reporting = new Set(["restore", "preflight"]);

export function unable(command: string, error: unknown, json: boolean): Told {
  const exit = exitCode.unable;
  const why = whyOf(error);
  return {
    exit,
    lines: [said`recriu ${command}: it cannot go on: ${why}`],
    ...(json && reporting.has(command) && { json: reportOfNothing("", { exit, said: why }) }),
  };
}

/** The runtime's own kinds of errors are faults of recriu's code; all else the machine refused, or recriu has found. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message } = error;
  if (error instanceof RangeError && /memory|allocation|call stack/i.test(message))
    return `there is not enough memory, or a limit of it is too low (${message})`;
  const faults = [TypeError, RangeError, ReferenceError, SyntaxError];
  return faults.some((kind) => error instanceof kind)
    ? `${error.name}: ${message} (a fault of recriu's own)`
    : message;
}
