/** What a runtime will ask of CRIU for `restore`, as the words of `criu restore` (runc: criu_linux.go; crun: criu.c). */
import { existsSync } from "node:fs";
import type { Finding } from "../checks/index.ts";
import { configLines, criuOptions } from "../criu/index.ts";
import { compareVersions } from "../criu/version.ts";
import { openRoot } from "../host/root.ts";
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

export function criuWordsOf(command: RuntimeCommand, bundle: Bundle, crun: boolean): string[] {
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
    // It takes that word, and does as if it had not been said.
    if (crun && name === "manage-cgroups") continue;
    const value = options.get(runtime.valued);
    if (value !== undefined) words.push(`--${name}=${runtimesWords[value] ?? value}`);
  }
  // runc and crun always take the other end of a container's terminal, for the console socket.
  words.push("--orphan-pts-master");
  for (const [key, source] of externalMounts(imagesOf(command), bundle, command.global.has("root")))
    words.push("--external", `mnt[${key}]:${source}`);
  return words;
}

/** Below these a runtime mounts by itself: devices, masked paths, hierarchies of cgroups. */
const runtimesPlaces = /^(?:\/dev|\/proc|\/sys)(?:\/|$)/;
/** What crun covers masked directories with; called with --root it does not find it again. */
const EMPTY = "/run/crun/.empty-directory";

/**
 * External mounts of the images to the paths that the runtime maps them to: bind mounts of its configuration by their place
 * in the container; its own, and those that an engine makes anew, to the path of the same name. Of others CRIU knows nothing.
 */
export function externalMounts(
  images: string,
  { root, binds, made }: Bundle,
  ownRoot = false,
): Map<string, string> {
  const placeOf = placesIn(root);
  const map = new Map(binds.map(({ destination, source }) => [placeOf(destination), source]));
  const isMapped = (key: string) =>
    runtimesPlaces.test(key) || made?.has(key) === true || (key === EMPTY && !ownRoot);
  const opened = openCheckpoint(images);
  if (!opened.ok) return map;
  const { checkpoint } = opened;
  for (const id of new Set(checkpoint.tasks.map((task) => task.ids?.mnt_ns_id)))
    for (const { ext_key } of id === undefined ? [] : checkpoint.mounts(id))
      if (ext_key !== undefined && isMapped(ext_key) && !map.has(ext_key))
        map.set(ext_key, ext_key);
  return map;
}

/** Runtimes name a mount by where its place is once links in the root are followed; as written, where that cannot be told. */
function placesIn(root: string): (destination: string) => string {
  const opened = openRoot(root);
  if (!opened.ok) return (destination) => destination;
  const top = opened.root.real("/");
  return (destination) => {
    const real = opened.root.real(destination);
    return top !== undefined && real?.startsWith(`${top}/`) === true
      ? real.slice(top.length)
      : destination;
  };
}

/** What the runtime sees to itself: mount points and descriptors for each restore, the container's terminal. */
const runtimesOwn = new Set([
  "mountpoint-missing",
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

/** The first crun that has CRIU read a configuration file. */
const CRUN_CONFIGURES = "1.26";

/**
 * The configuration file that the runtime has CRIU put over its own request: the bundle names one ("": none), or an
 * administrator made it. `crun`: the version of one; undefined: it is runc.
 */
export function fileOverRequest({ criuConfig }: Bundle, crun?: () => string): string | undefined {
  const usual = [...(crun === undefined ? [] : ["/etc/criu/crun.conf"]), "/etc/criu/runc.conf"];
  const file = (criuConfig ?? usual.find((each) => existsSync(each))) || undefined;
  const reads = file !== undefined && (!crun || compareVersions(crun(), CRUN_CONFIGURES) >= 0);
  return reads ? file : undefined;
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

/**
 * By what the runtime's own `help` of restore lists: runc has the mode `ignore` of cgroups since 1.2. crun lists it, and
 * forgets what it was told (seen with 1.21 and 1.28).
 */
export function passOn(planned: readonly string[], help: () => string, crun: boolean): Passed {
  const passed: Passed = { flags: [], lines: [], lost: [] };
  for (const option of planned) {
    const [name = "", value = ""] = option.slice(2).split("=");
    if (name === "manage-cgroups") {
      const takes = !crun && modesIn(help()).includes(value);
      if (takes) passed.flags.push(`--manage-cgroups-mode=${value}`);
      else passed.lost.push(option);
    } else if (flags.includes(name) && new RegExp(`--${name}\\s`).test(help()))
      passed.flags.push(option);
    else passed.lines.push(configLines([option]));
  }
  return passed;
}

/** The words of the line about --manage-cgroups-mode, and of what follows it up to the next option. */
const modesIn = (help: string): readonly string[] =>
  /--manage-cgroups-mode\b((?:.|\n(?!\s*-))*)/.exec(help)?.[1]?.match(/\w+/g) ?? [];
