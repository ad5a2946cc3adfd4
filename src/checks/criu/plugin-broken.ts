import { ENOENT, errorText } from "../../sys/errno.ts";
import { sh } from "../../sys/shell.ts";
import { again } from "../again.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { plugins } from "./plugins.ts";
import { constants } from "node:fs";

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
  const machine = machines[host.architecture];
  if (machine !== undefined && elf.readUInt16LE(18) !== machine)
    return "cannot open shared object file: No such file or directory";
  return elf.readUInt16LE(16) === ET_DYN ? undefined : "cannot dynamically load executable";
}

export const pluginBroken: Check = {
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
    const shared = { severity: "blocker", image: "" } as const;
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
    return files.values().flatMap((name): Problem[] => {
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
