import { readFileSync } from "node:fs";

export type ReadConfig = (path: string) => string | undefined;

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
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};
