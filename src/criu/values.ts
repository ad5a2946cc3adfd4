/** What the values of CRIU's options mean, and which of them CRIU refuses (criu/config.c). */
import type { Effect } from "./option.ts";
import type { Parts } from "./request.ts";

export const cgroupModes = ["ignore", "none", "props", "soft", "full", "strict"] as const;
export type CgroupMode = (typeof cgroupModes)[number];

/** The value must be one of these. */
export const oneOf =
  (...words: string[]): Effect =>
  (_parts, value, { name }) =>
    words.includes(value) ? undefined : `--${name} is ${words.join(", ")}; not '${value}'`;

/** The value must look like this; `shape` says how, for people. */
export const shaped =
  (hasShape: (value: string) => boolean, shape: string): Effect =>
  (_parts, value, { name }) =>
    hasShape(value) ? undefined : `--${name} wants ${shape}; not '${value}'`;

const bad = (name: string, value: string, shape: string) =>
  `--${name} wants ${shape}; not '${value}'`;

export const imagesDir: Effect = (parts, value) => void (parts.imagesDir = value);
export const workDir: Effect = (parts, value) => void (parts.workDir = value);
export const actionScript: Effect = (parts, value) => void parts.actionScripts.push(value);
export const timeout: Effect = (parts, value) => void (parts.timeout = atoi(value));
export const leaveRunning: Effect = (parts) => void (parts.leaveStopped = false);
export const leaveStopped: Effect = (parts) => void (parts.leaveStopped = true);

export const fileValidation: Effect = (parts, value, option) => {
  if (value !== "filesize" && value !== "buildid")
    return oneOf("filesize", "buildid")(parts, value, option);
  parts.fileValidation = value;
  return undefined;
};

export const manageCgroups: Effect = (parts, value, option) => {
  const mode = option.value === undefined ? "soft" : cgroupModes.find((each) => each === value);
  if (mode === undefined) return oneOf(...cgroupModes)(parts, value, option);
  parts.manageCgroups = { value: mode, explicit: true };
  return undefined;
};

export const cgroupRoot: Effect = (parts, value) => {
  const colon = value.indexOf(":");
  const controller = colon < 0 ? undefined : value.slice(0, colon);
  parts.cgroupRoot.push({ controller, path: value.slice(colon + 1) });
  return undefined;
};

export const extUnixSk: Effect = (parts, value, { name, negated }) => {
  parts.extUnixSk = !negated;
  const inodes = value.split(",").filter((inode) => inode !== "");
  const wrong = inodes.find((inode) => !/^\s*[+-]?\d+$/.test(inode) || Number(inode) === 0);
  return wrong === undefined ? undefined : bad(name, value, "inode numbers");
};

export const external: Effect = (parts, value, { name }) => {
  if (value.startsWith("mnt[]")) {
    parts.autodetectExtMounts = true;
    return /^:[^ms]/.test(value.slice("mnt[]".length))
      ? bad(name, value, "mnt[]:m or mnt[]:s")
      : undefined;
  }
  const [, kind = value, key = "", target] =
    /^([^[\]:]*)\[([^\]]*)\](?::(.*))?$/s.exec(value) ?? [];
  parts.external.push({ kind, key, value: target });
  return undefined;
};

export const vethPair: Effect = (parts, value, { name }) => {
  const equals = value.indexOf("=");
  if (equals < 0) return bad(name, value, "IN=OUT");
  const [key, outer] = [value.slice(0, equals), value.slice(equals + 1)];
  parts.external.push({ kind: "veth", key, value: outer });
  return undefined;
};

export const extMountMap: Effect = (parts, value, { name, negated }) => {
  if (value === "auto" || negated) {
    parts.autodetectExtMounts = !negated;
    return undefined;
  }
  const colon = value.indexOf(":");
  if (colon < 0) return bad(name, value, "KEY:PATH or auto");
  parts.external.push({ kind: "mnt", key: value.slice(0, colon), value: value.slice(colon + 1) });
  return undefined;
};

export const inheritFd: Effect = (parts, value, { name }) => {
  const [, kind, number] = /^(fd|debug)\[\s*([+-]?\d+)/.exec(value) ?? [];
  const fd = Number(number);
  const colon = value.indexOf(":");
  const key = value.slice(colon + 1);
  if (kind === undefined || fd < 0 || colon < 0 || key === "")
    return bad(name, value, "fd[N]:RESOURCE");
  parts.fds.push(fd);
  // debug[N]:TEXT writes the text to the descriptor and nothing else.
  if (kind === "fd") parts.inheritFds.push({ fd, key });
  return undefined;
};

export const joinNs: Effect = (parts, value, { name }) => {
  const colon = value.indexOf(":");
  const ns = value.slice(0, colon);
  if (colon < 0 || !["net", "uts", "time", "ipc", "user", "mnt"].includes(ns))
    return bad(name, value, "net, uts, time, ipc, user or mnt, a colon, and a pid or a file");
  const rest = value.slice(colon + 1);
  const comma = rest.indexOf(",");
  const target = comma < 0 ? rest : rest.slice(0, comma);
  parts.joinNs.push({ ns, target, options: comma < 0 ? undefined : rest.slice(comma + 1) });
  return undefined;
};

export const emptyNs: Effect = (parts, value, option) => {
  if (value !== "net") return oneOf("net")(parts, value, option);
  parts.emptyNs.push(value);
  return undefined;
};

export const statusFd: Effect = (parts, value, { name }) => {
  if (!/^\s*[+-]?\d/.test(value)) return bad(name, value, "a descriptor's number");
  if (atoi(value) >= 0) parts.fds.push(atoi(value));
  return undefined;
};

export const cpuCap: Effect = (parts, value, { name, value: text }) => {
  const caps = cpuCapabilities(parts.cpuCap, text);
  if (caps === undefined) return bad(name, value, "cpu, fpu, all, ins, none or ^ before one");
  parts.cpuCap = caps === "unchecked" ? undefined : caps;
  return undefined;
};

const everything = ["fpu", "cpu", "ins"] as const;
type Capability = (typeof everything)[number];

/**
 * `--cpu-cap`: it adds to what CRIU compares by default (fpu and ins), and turns the comparison with cpuinfo.img on;
 * `none` alone turns it off.
 */
function cpuCapabilities(
  before: Parts["cpuCap"],
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

/** The bits of RPC's cpu_cap, as `--cpu-cap` has them. */
export const cpuCapWords = (bits: number): string =>
  ["none", ...everything.filter((_cap, bit) => ((bits >>> bit) & 1) === 1)].join(",");

/** atoi(3): the number a text begins with, 0 without one. */
export function atoi(text: string): number {
  return Number(/^\s*([+-]?\d+)/.exec(text)?.[1] ?? 0);
}
