/** What each option of CRIU does to a request (criu/config.c). Options without a line here do nothing on restore. */
import type { ParsedOption } from "./getopt.ts";
import { cgroupModes, type Draft } from "./request.ts";

/** Changes the draft, or says why CRIU refuses the value ("" when none was given). */
type Effect = (draft: Draft, value: string, option: ParsedOption) => string | undefined;

type FieldOf<T> = { [K in keyof Draft]: Draft[K] extends T ? K : never }[keyof Draft];

/** Sets a boolean; `--no-NAME` unsets it. */
const turns =
  (field: FieldOf<boolean>): Effect =>
  (draft, _value, { negated }) =>
    void (draft[field] = !negated);

const sets =
  (
    field:
      | "root"
      | "logFile"
      | "pidfile"
      | "cgroupYard"
      | "libdir"
      | "lsmProfile"
      | "lsmMountContext"
      | "imagesDir"
      | "workDir",
  ): Effect =>
  (draft, value) =>
    void (draft[field] = value);

/** The value must be one of these. */
const oneOf =
  (...known: string[]): Effect =>
  (_draft, value, { name }) =>
    known.includes(value) ? undefined : `--${name} is ${known.join(", ")}; not '${value}'`;

const bad = (name: string, value: string, shape: string) =>
  `--${name} wants ${shape}; not '${value}'`;

export const effects: Readonly<Record<string, Effect>> = {
  "images-dir": sets("imagesDir"),
  "work-dir": sets("workDir"),
  root: sets("root"),
  "log-file": sets("logFile"),
  "log-pid": turns("logPerPid"),
  pidfile: sets("pidfile"),
  "restore-detached": turns("detached"),
  daemon: turns("detached"),
  "restore-sibling": turns("sibling"),
  "leave-stopped": turns("leaveStopped"),
  "leave-running": (draft) => void (draft.leaveStopped = false),
  "shell-job": turns("shellJob"),
  "tcp-established": turns("tcpEstablished"),
  "tcp-close": turns("tcpClose"),
  "file-locks": turns("fileLocks"),
  "skip-file-rwx-check": turns("skipFileRwxCheck"),
  "allow-uprobes": turns("allowUprobes"),
  "auto-dedup": turns("autoDedup"),
  deprecated: turns("deprecated"),
  "display-stats": turns("displayStats"),
  "lazy-pages": turns("lazyPages"),
  stream: turns("stream"),
  unprivileged: turns("unprivileged"),
  "weak-sysctls": turns("weakSysctls"),
  "mntns-compat-mode": turns("mntnsCompatMode"),
  "enable-external-sharing": turns("enableExternalSharing"),
  "enable-external-masters": turns("enableExternalMasters"),
  libdir: sets("libdir"),
  "lsm-profile": sets("lsmProfile"),
  "lsm-mount-context": sets("lsmMountContext"),
  "cgroup-yard": sets("cgroupYard"),
  "network-lock": oneOf("iptables", "nftables", "skip", "none"),
  "pre-dump-mode": oneOf("splice", "read"),
  "action-script": (draft, value) => void draft.actionScripts.push(value),

  timeout: (draft, value) => void (draft.timeout = atoi(value)),
  tree: (_draft, value) => (atoi(value) > 0 ? undefined : bad("tree", value, "a pid")),
  port: (_draft, value) => (atoi(value) !== 0 ? undefined : bad("port", value, "a port")),
  ms: () => "--ms is withdrawn",

  "image-io-mode": oneOf("writeback", "direct"),

  "decompress-threads": (_draft, value) =>
    /^\d+$/.test(value) && Number(value) <= 1024
      ? undefined
      : bad("decompress-threads", value, "a number up to 1024"),

  "plugin-option": (_draft, value) =>
    /^[^.=]+\.[^=]+/.test(value) ? undefined : bad("plugin-option", value, "PLUGIN.NAME[=VALUE]"),

  "file-validation"(draft, value, option) {
    if (value !== "filesize" && value !== "buildid") {
      return oneOf("filesize", "buildid")(draft, value, option);
    }
    draft.fileValidation = value;
    return undefined;
  },

  "manage-cgroups"(draft, value, option) {
    const mode = option.value === undefined ? "soft" : cgroupModes.find((known) => known === value);
    if (mode === undefined) return oneOf(...cgroupModes)(draft, value, option);
    draft.manageCgroups = { value: mode, explicit: true };
    return undefined;
  },

  "cgroup-root"(draft, value) {
    const colon = value.indexOf(":");
    const controller = colon < 0 ? undefined : value.slice(0, colon);
    draft.cgroupRoot.push({ controller, path: value.slice(colon + 1) });
    return undefined;
  },

  verbosity(draft, value, option) {
    if (option.value === undefined) draft.verbosity += 1;
    else if (value.startsWith("v")) draft.verbosity += value.length + 1;
    else draft.verbosity = atoi(value);
    return undefined;
  },

  "ext-unix-sk"(draft, value) {
    draft.extUnixSk = true;
    const inodes = value.split(",").filter((inode) => inode !== "");
    const wrong = inodes.find((inode) => !/^\s*[+-]?\d+$/.test(inode) || Number(inode) === 0);
    return wrong === undefined ? undefined : bad("ext-unix-sk", value, "inode numbers");
  },

  external(draft, value) {
    if (value.startsWith("mnt[]")) {
      draft.autodetectExtMounts = true;
      const kind = value.slice("mnt[]".length);
      if (kind.startsWith(":m")) draft.enableExternalMasters = true;
      else if (kind.startsWith(":s")) draft.enableExternalSharing = true;
      else if (kind.startsWith(":") && kind !== ":")
        return bad("external", value, "mnt[]:m or mnt[]:s");
      return undefined;
    }
    const [, kind = value, key = "", given] =
      /^([^[\]:]*)\[([^\]]*)\](?::(.*))?$/s.exec(value) ?? [];
    draft.external.push({ kind, key, value: given });
    return undefined;
  },

  "veth-pair"(draft, value) {
    const equals = value.indexOf("=");
    if (equals < 0) return bad("veth-pair", value, "IN=OUT");
    draft.external.push({
      kind: "veth",
      key: value.slice(0, equals),
      value: value.slice(equals + 1),
    });
    return undefined;
  },

  "ext-mount-map"(draft, value) {
    if (value === "auto") {
      draft.autodetectExtMounts = true;
      return undefined;
    }
    const colon = value.indexOf(":");
    if (colon < 0) return bad("ext-mount-map", value, "KEY:PATH or auto");
    const entry = { key: value.slice(0, colon), value: value.slice(colon + 1) };
    draft.extMountMap.push(entry);
    draft.external.push({ kind: "mnt", ...entry });
    return undefined;
  },

  "inherit-fd"(draft, value) {
    const [, kind, number] = /^(fd|debug)\[\s*([+-]?\d+)/.exec(value) ?? [];
    const fd = Number(number);
    const colon = value.indexOf(":");
    const key = value.slice(colon + 1);
    if (kind === undefined || fd < 0 || colon < 0 || key === "") {
      return bad("inherit-fd", value, "fd[N]:RESOURCE");
    }
    draft.fds.push(fd);
    // debug[N]:TEXT writes the text to the descriptor and nothing else.
    if (kind === "fd") draft.inheritFds.push({ fd, key });
    return undefined;
  },

  "join-ns"(draft, value) {
    const colon = value.indexOf(":");
    const ns = value.slice(0, colon);
    if (colon < 0 || !["net", "uts", "time", "ipc", "user", "mnt"].includes(ns)) {
      return bad(
        "join-ns",
        value,
        "net, uts, time, ipc, user or mnt, a colon, and a pid or a file",
      );
    }
    const rest = value.slice(colon + 1);
    const comma = rest.indexOf(",");
    const target = comma < 0 ? rest : rest.slice(0, comma);
    draft.joinNs.push({ ns, target, options: comma < 0 ? undefined : rest.slice(comma + 1) });
    return undefined;
  },

  "empty-ns"(draft, value, option) {
    if (value !== "net") return oneOf("net")(draft, value, option);
    draft.emptyNs.push(value);
    return undefined;
  },

  "status-fd"(draft, value) {
    if (!/^\s*[+-]?\d/.test(value)) return bad("status-fd", value, "a descriptor's number");
    draft.statusFd = atoi(value);
    if (draft.statusFd >= 0) draft.fds.push(draft.statusFd);
    return undefined;
  },

  "cpu-cap"(draft, value, option) {
    const caps = cpuCapabilities(draft.cpuCap, option.value);
    if (caps === undefined)
      return bad("cpu-cap", value, "cpu, fpu, all, ins, none or ^ before one");
    draft.cpuCap = caps === "unchecked" ? undefined : caps;
    return undefined;
  },
};

const everything = ["fpu", "cpu", "ins"] as const;
type Capability = (typeof everything)[number];

/**
 * `--cpu-cap`: it adds to what CRIU compares by default (fpu and ins), and turns the comparison with cpuinfo.img on;
 * `none` alone turns it off.
 */
function cpuCapabilities(
  before: readonly Capability[] | undefined,
  value: string | undefined,
): Capability[] | "unchecked" | undefined {
  if (value === undefined) return [...everything];
  const caps = new Set<Capability>(before ?? ["fpu", "ins"]);
  let inverse = false;
  let rest = value;
  while (rest !== "") {
    const word = /^(?:\^|,|fpu|all|none|cpu|ins)/.exec(rest)?.[0];
    if (word === undefined) return undefined;
    rest = rest.slice(word.length);
    if (word === "^") {
      inverse = !inverse;
    } else if (word === ",") {
      inverse = false;
    } else {
      const named = word === "all" || word === "none" ? everything : [word as Capability];
      const adds = inverse === (word === "none");
      for (const cap of named) {
        if (adds) caps.add(cap);
        else caps.delete(cap);
      }
    }
  }
  return caps.size === 0 ? "unchecked" : [...caps];
}

/** atoi(3): the number a text begins with, 0 without one. */
function atoi(text: string): number {
  return Number(/^\s*([+-]?\d+)/.exec(text)?.[1] ?? 0);
}
