/** What a runtime will ask of CRIU for `restore`, as the words of `criu restore` (runc: criu_linux.go; crun: criu.c). */
import { existsSync } from "node:fs";
import type { Finding } from "../checks/index.ts";
import { configLines, criuOptions } from "../criu/index.ts";
import { openCheckpoint } from "../image/index.ts";
import { absolute } from "../sys/working-directory.ts";
import type { RuntimeCommand } from "./arguments.ts";
import type { Bundle } from "./bundle.ts";

/** Flags that runtimes have under CRIU's names. */
const flags = criuOptions.filter(({ runtime }) => runtime === "flag").map(({ name }) => name);

/** The images, by default those in ./checkpoint. */
const imagesOf = ({ options }: RuntimeCommand): string =>
  absolute(options.get("image-path") ?? "checkpoint");

/** Paths that a runtime has where none is given. */
const placed: ReadonlySet<string> = new Set(["images-dir", "work-dir"]);
/** Values that runtimes call otherwise: --empty-ns network. */
const runtimesWords: Readonly<Record<string, string>> = { network: "net" };

export function criuWordsOf(command: RuntimeCommand, bundle: Bundle): string[] {
  const { options } = command;
  const words = ["--images-dir", imagesOf(command), "--root", bundle.root];
  // Without one the runtime makes one in its own state directory, which is not there yet.
  words.push("--work-dir", absolute(options.get("work-path") ?? "/run"));
  // The container's own cgroups, which the runtime names, come in the place of those that were saved.
  words.push("--cgroup-root", "/");
  words.push("--log-file", "restore.log", "--restore-detached", "--restore-sibling");
  for (const name of flags) if ((options.get(name) ?? "false") !== "false") words.push(`--${name}`);
  for (const { name, runtime } of criuOptions) {
    if (typeof runtime !== "object" || placed.has(name)) continue;
    const value = options.get(runtime.valued);
    if (value !== undefined) words.push(`--${name}=${runtimesWords[value] ?? value}`);
  }
  // runc and crun always take the other end of a container's terminal, for the console socket.
  words.push("--orphan-pts-master");
  for (const [key, source] of externalMounts(imagesOf(command), bundle))
    words.push("--external", `mnt[${key}]:${source}`);
  return words;
}

/**
 * External mounts of the images to the paths that the runtime maps them to: bind mounts by their place in the
 * container; the rest (cgroup hierarchies, /dev/null over masked files) to the path of the same name.
 */
export function externalMounts(images: string, { binds }: Bundle): Map<string, string> {
  const map = new Map(binds.map(({ destination, source }) => [destination, source]));
  const opened = openCheckpoint(images);
  if (!opened.ok) return map;
  const { checkpoint } = opened;
  for (const id of new Set(checkpoint.tasks.map((task) => task.ids?.mnt_ns_id)))
    for (const { ext_key } of id === undefined ? [] : checkpoint.mounts(id))
      if (ext_key?.startsWith("/") && !map.has(ext_key)) map.set(ext_key, ext_key);
  return map;
}

/** What the runtime sees to itself: mount points, mappings and descriptors for each restore, the container's terminal. */
const runtimesOwn = new Set([
  "mountpoint-missing",
  "external-mount-unmapped",
  "external-netns",
  "pid-namespace-external",
  "tty-stdin",
  "shell-job-session",
]);

/** What is found in the work directory: one that the runtime makes later cannot be looked at. */
const ofWorkDirectory = new Set(["lazy-pages-socket", "work-dir-unwritable", "work-file-planted"]);

/** Whether a finding stands under a runtime too. `command`: what it is asked for, if that is known. */
export function standsUnderRuntime(
  { id, subject }: Finding,
  { binds }: Bundle,
  command?: RuntimeCommand,
): boolean {
  if (runtimesOwn.has(id)) return false;
  if (ofWorkDirectory.has(id) && command?.options.has("work-path") === false) return false;
  return (
    id !== "external-mount-source-missing" ||
    binds.some(({ source }) => source === subject) ||
    existsSync(subject)
  );
}

/** Where the runtime writes what goes wrong: --log, as --log-format says. */
export const logOf = ({ global }: RuntimeCommand): { path: string; json: boolean } | undefined => {
  const path = global.get("log");
  if (path === undefined || path === "" || path === "/dev/stderr") return undefined;
  return {
    path: path.startsWith("file:") ? path.slice(5) : path,
    json: global.get("log-format") === "json",
  };
};

/** The configuration file that the runtime has CRIU put over its own request: the bundle names one, or an administrator made it. */
export function fileOverRequest({ criuConfig }: Bundle, crun: boolean): string | undefined {
  const usual = [...(crun ? ["/etc/criu/crun.conf"] : []), "/etc/criu/runc.conf"];
  return criuConfig ?? usual.find((file) => existsSync(file));
}

/** How the options of a plan reach CRIU. */
interface Passed {
  /** As flags of the runtime. */
  flags: string[];
  /** As lines of a configuration file, which hold for what the runtime's request leaves open. */
  lines: string[];
  /** Not at all: the request settles them. */
  lost: string[];
}

/** runc has `--manage-cgroups-mode`, with `ignore` since 1.2 only; crun has it, and forgets what it said (seen with 1.21). */
export const passOn = (planned: readonly string[]): Passed => ({
  flags: planned.filter((option) => flags.includes(option.slice(2))),
  lines: planned
    .filter((option) => !flags.includes(option.slice(2)) && !option.startsWith("--manage-cgroups"))
    .map((option) => configLines([option])),
  lost: planned.filter((option) => option.startsWith("--manage-cgroups")),
});
