import { readFileSync } from "node:fs";

export type ReadConfig = (path: string) => string | undefined;

/** A configuration file's text; undefined where there is none to read, which CRIU passes over in silence. */
export const readConfigFile: ReadConfig = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};
