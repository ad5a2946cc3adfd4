/** CRIU's plugins: shared objects that it loads before every restore, and those that the checkpoint needs (plugin.c). */
import type { Host } from "../../host/index.ts";
import { oncePer } from "../../image/index.ts";
import { dirname, join } from "../../sys/path.ts";
import type { Context } from "../finding.ts";

/** Where distributions have plugins, to look into before the answer is sought in CRIU itself. */
const usual = ["/usr/lib/criu", "/usr/lib64/criu", "/usr/local/lib/criu"];

/** CRIU's help names the directory that it was built with. */
const helpText = "path to a plugin directory (by default ";

const LARGEST_CRIU = 64 << 20;

function builtIn(host: Host, criu: string): string | undefined {
  const program = host.bytes(criu, 0, LARGEST_CRIU);
  if (program === undefined) return undefined;
  const bytes = Buffer.from(program.buffer, program.byteOffset, program.length);
  const at = bytes.indexOf(helpText);
  const end = at < 0 ? -1 : bytes.indexOf(")", at);
  return end < 0 ? undefined : bytes.toString("utf8", at + helpText.length, end);
}

export const required = ({ checkpoint }: Context): readonly string[] =>
  checkpoint.inventory?.plugins_entry?.plugins ?? [];

interface Plugins {
  directory: string;
  /** Names of the files that CRIU loads. */
  files: string[];
}

/**
 * What CRIU loads from the directory that it was built with; undefined where it cannot be told, or where nothing is
 * `needed` and this machine has no directory of plugins to speak of.
 */
export function builtInPlugins(host: Host, criu: string, needed: boolean): Plugins | undefined {
  const likely = [...usual, join(dirname(dirname(criu)), "lib/criu")];
  if (!needed && !likely.some((path) => host.exists(path))) return undefined;
  const directory = builtIn(host, criu);
  return directory === undefined ? undefined : inDirectory(host, directory);
}

function inDirectory(host: Host, directory: string): Plugins {
  const opened = host.root(directory);
  const names = opened.ok ? opened.root.list("/") : [];
  return { directory, files: names.filter((name) => name.endsWith(".so")).sort() };
}

/** The plugins that CRIU will load; undefined where there are none or it cannot be told. CRIU's program is read once for it. */
export const plugins = oncePer((context: Context): Plugins | undefined => {
  const { host, request, criu } = context;
  if (request.libdir !== undefined) return inDirectory(host, request.libdir);
  return criu && builtInPlugins(host, criu.path, required(context).length > 0);
});
