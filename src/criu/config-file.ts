import { closeSync, readFileSync } from "node:fs";
import { NO_REGULAR_FILE, openRegular } from "../sys/regular.ts";

export type ReadConfig = (path: string) => string | undefined;

/** Bytes. Every line of one is kept as words, which take forty times the room. */
const LARGEST = 1 << 20;

/** Options (`--name=value`) as lines of a configuration file. */
export const configLines = (options: readonly string[]): string =>
  options.map((option) => `${option.slice(2)}\n`).join("");

/** A file's text that more lines can follow; "" where there is none to read. */
export function configText(path: string | undefined): string {
  const text = (path === undefined ? undefined : readConfigFile(path)) ?? "";
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

/** A configuration file's text; undefined where there is none to read, which CRIU passes over in silence. */
export const readConfigFile: ReadConfig = (path) => {
  const opened = openRegular(path);
  if (!opened.ok) return undefined;
  try {
    return opened.stat.size > LARGEST ? undefined : readFileSync(opened.fd, "utf8");
  } catch {
    return undefined;
  } finally {
    closeSync(opened.fd);
  }
};

/** Why CRIU would read a configuration file that recriu does not; undefined where both see the same. */
export function configProblem(path: string): string | undefined {
  const opened = openRegular(path);
  if (!opened.ok)
    return opened.errno === 0 ? `${path}: ${NO_REGULAR_FILE}, and can be read but once` : undefined;
  closeSync(opened.fd);
  return opened.stat.size > LARGEST
    ? `${path}: a configuration file of more than ${LARGEST} bytes is not read`
    : undefined;
}
