import { knows } from "../../criu/index.ts";
import { filesWith, type Checkpoint } from "../../image/index.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { plugins, required } from "./plugins.ts";

export const pluginMissing: Check = {
  title: "A plugin that the checkpoint was made with is not here",
  reads: "plugins_entry in inventory.img; the *.so files in CRIU's plugin directory",
  why:
    "State of a GPU is saved and restored by plugins (cuda_plugin, amdgpu_plugin). From CRIU 4.1 on the inventory names those that took part, " +
    "and the restore stops without them. Where amdgpu_plugin is named but saved nothing, recriu leaves its name out of what CRIU is shown; " +
    "what cuda_plugin saved is in the tasks' memory, so its name never is.",
  proof: "criu",
  answers: ["edit", "person"],
  run(context) {
    const { checkpoint } = context;
    const names = required(context);
    const version = context.criu?.version;
    if (names.length === 0 || version === undefined) return [];
    const found = plugins(context);
    const { directory, files } = found ?? { directory: undefined, files: [] };
    return names
      .values()
      .filter((name) => !files.some((file) => mentions(context, `${directory}/${file}`, name)))
      .map((name): Problem => {
        // Another file may hold a plugin that answers to the name after all; and where CRIU's own directory is not
        // there, it does not ask for plugins.
        const asks = knows(version, "pluginsNamed", false);
        const certain =
          directory !== undefined && context.host.exists(directory) && files.length === 0 && asks;
        return {
          severity: certain ? "blocker" : "warning",
          image: "inventory.img",
          subject: name,
          message: `the dump was made with the plugin ${name}, and ${directory ?? "CRIU's plugin directory"} has none of that name`,
          criu_message: asks ? `Missing required plugin: ${name}` : null,
          remedy: savedNothing(checkpoint, name)
            ? {
                kind: "edit",
                text: "restore without it: nothing in the images is of its making",
                edits: [
                  {
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
const savedNothing = (checkpoint: Checkpoint, plugin: string): boolean =>
  plugin === "amdgpu_plugin" &&
  ![...checkpoint.files].some((file) => file.startsWith("amdgpu-")) &&
  filesWith(checkpoint, "ext").length === 0;

const LARGEST_PLUGIN = 16 << 20;

/** A plugin's descriptor holds its name. */
function mentions({ host }: Context, path: string, name: string): boolean {
  if (path.endsWith(`/${name}.so`)) return true;
  const bytes = host.bytes(path, 0, LARGEST_PLUGIN);
  return bytes !== undefined && Buffer.from(bytes).includes(`${name}\0`);
}
