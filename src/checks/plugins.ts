/** CRIU's plugins: shared objects that it loads before every restore, and those that the checkpoint needs (plugin.c). */
import { constants } from "node:fs";
import { dirname, join } from "../sys/path.ts";
import { knows } from "../criu/index.ts";
import type { Host } from "../host/index.ts";
import type { Checkpoint } from "../image/index.ts";
import { ENOENT, errorText } from "../sys/errno.ts";
import { again } from "./again.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { sh } from "../sys/shell.ts";

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

const required = ({ checkpoint }: Context): readonly string[] =>
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

/** The plugins that CRIU will load; undefined where there are none or it cannot be told. */
export function plugins(context: Context): Plugins | undefined {
  const { host, request, criu } = context;
  if (request.libdir !== undefined) return inDirectory(host, request.libdir);
  return criu && builtInPlugins(host, criu.path, required(context).length > 0);
}

/** e_machine of this machine, elf(5). */
const machines: Record<string, number> = { x64: 62, arm64: 183 };
const ET_DYN = 3;

/** What dlopen(3) would say of a file that is no shared object for this machine; undefined when it may be one. */
function notLoadable({ host }: Context, path: string): string | undefined {
  const readable = host.access(path, constants.R_OK);
  if (readable < 0) return `cannot open shared object file: ${errorText(readable)}`;
  const head = host.bytes(path, 0, 20);
  if (head === undefined) return "cannot read file data: Is a directory";
  if (head.length < 20) return "file too short";
  const elf = Buffer.from(head);
  if (elf.readUInt32BE(0) !== 0x7f454c46) return "invalid ELF header";
  if (elf[4] !== 2) return "wrong ELF class: ELFCLASS32";
  const machine = machines[process.arch];
  if (machine !== undefined && elf.readUInt16LE(18) !== machine)
    return "cannot open shared object file: No such file or directory";
  return elf.readUInt16LE(16) === ET_DYN ? undefined : "cannot dynamically load executable";
}

export const pluginBroken: Check = {
  id: "plugin-broken",
  title: "A plugin of CRIU cannot be loaded",
  reads:
    "--libdir, CRIU_LIBS_DIR, the directory that CRIU was built with; the head of every *.so in it",
  why:
    "CRIU loads every file that ends in .so from its plugin directory at each restore, whether the checkpoint needs it or not, and stops at " +
    "the first that is no shared object for this machine. Whether its symbols and libraries are all there is only known once it is loaded.",
  proof: "criu",
  run(context) {
    const found = plugins(context);
    if (found === undefined) return [];
    const { directory, files } = found;
    const shared = { id: "plugin-broken", severity: "blocker", task: null, image: "" } as const;
    const opened = context.host.root(directory);
    if (!opened.ok) {
      // The directory that CRIU was built with may be missing.
      if (context.request.libdir === undefined && !context.host.exists(directory)) return [];
      return [
        {
          ...shared,
          subject: directory,
          message: `the plugin directory ${directory} cannot be opened: ${opened.problem}`,
          criu_message: `Unable to open directory ${directory}: ${opened.problem}`,
          remedy: {
            kind: "human",
            text: "make it (an empty one will do when no plugin is needed), or leave --libdir and CRIU_LIBS_DIR out",
            command: opened.problem === errorText(ENOENT) ? sh`mkdir -p ${directory}` : null,
          },
        },
      ];
    }
    const none = context.checkpoint.inventory?.plugins_entry?.plugins.length === 0;
    return files.flatMap((name): Finding[] => {
      const path = `${directory}/${name}`;
      const problem = notLoadable(context, path);
      if (problem === undefined) return [];
      return [
        {
          ...shared,
          subject: path,
          message: `CRIU loads ${path} as a plugin, which it is not: ${problem}`,
          criu_message: `Unable to load ${path}: ${path}: ${problem}`,
          remedy: none
            ? {
                kind: "human",
                text: "this checkpoint needs no plugin: name a directory without any",
                command: sh`mkdir -p /run/no-criu-plugins && recriu restore ${again(context)} --libdir=/run/no-criu-plugins`,
              }
            : {
                kind: "human",
                text: "install the package again that it belongs to, or move it away",
                command: sh`mv ${path} ${path}.aside`,
              },
        },
      ];
    });
  },
};

export const pluginMissing: Check = {
  id: "plugin-missing",
  title: "A plugin that the checkpoint was made with is not here",
  reads: "plugins_entry in inventory.img; the *.so files in CRIU's plugin directory",
  why:
    "State of a GPU is saved and restored by plugins (cuda_plugin, amdgpu_plugin). From CRIU 4.1 on the inventory names those that took part, " +
    "and the restore stops without them. Where amdgpu_plugin is named but saved nothing, recriu leaves its name out of what CRIU is shown; " +
    "what cuda_plugin saved is in the tasks' memory, so its name never is.",
  proof: "criu",
  run(context) {
    const { checkpoint } = context;
    const names = required(context);
    const version = context.criu?.version;
    if (names.length === 0 || version === undefined) return [];
    const found = plugins(context);
    const { directory, files } = found ?? { directory: undefined, files: [] };
    return names
      .filter((name) => !files.some((file) => mentions(context, `${directory}/${file}`, name)))
      .map((name): Finding => {
        // Another file may hold a plugin that answers to the name after all; and where CRIU's own directory is not
        // there, it does not ask for plugins.
        const certain =
          directory !== undefined &&
          context.host.exists(directory) &&
          files.length === 0 &&
          knows(version, "pluginsNamed", false);
        return {
          id: "plugin-missing",
          severity: certain ? "blocker" : "warning",
          task: null,
          image: "inventory.img",
          subject: name,
          message: `the dump was made with the plugin ${name}, and ${directory ?? "CRIU's plugin directory"} has none of that name`,
          criu_message: `Missing required plugin: ${name}`,
          remedy: savedNothing(checkpoint, name)
            ? {
                kind: "edit",
                text: "restore without it: nothing in the images is of its making",
                command: null,
                edits: [
                  {
                    id: "plugin-missing",
                    file: "inventory.img",
                    entry: 0,
                    field: "plugins_entry.plugins",
                    from: name,
                    to: null,
                    why: `${name} saved nothing`,
                  },
                ],
              }
            : {
                kind: "human",
                text: `install the plugin, or name the directory that has ${name}.so by --libdir`,
                command: sh`find / -xdev -name ${[`${literal(name)}.so`]}`,
              },
        };
      });
  },
};

/** A pattern of find(1) that matches `name` alone. */
const literal = (name: string): string => name.replace(/[*?[\\]/g, "\\$&");

/** All that amdgpu_plugin saves is in images of its own, and in files that CRIU left to a plugin. */
const savedNothing = ({ files, openFiles }: Checkpoint, plugin: string): boolean =>
  plugin === "amdgpu_plugin" &&
  ![...files].some((file) => file.startsWith("amdgpu-")) &&
  ![...openFiles.values()].some(({ ext }) => ext !== undefined);

const LARGEST_PLUGIN = 16 << 20;

/** A plugin's descriptor holds its name. */
function mentions({ host }: Context, path: string, name: string): boolean {
  if (path.endsWith(`/${name}.so`)) return true;
  const bytes = host.bytes(path, 0, LARGEST_PLUGIN);
  return bytes !== undefined && Buffer.from(bytes).includes(`${name}\0`);
}
