/** An OCI bundle: what its config.json says of the container's root, mounts and rights (OCI runtime-spec, config.md). */
import { parsedJson } from "../image/others-json.ts";
import { closeSync, readFileSync } from "node:fs";
import { capabilityNumber, type Grants, type IdRange } from "../checks/index.ts";
import { join, resolve } from "../sys/path.ts";
import { openRegular } from "../sys/regular.ts";
import { absolute } from "../sys/working-directory.ts";

export interface Bundle {
  /** The root file system, absolute. */
  root: string;
  /** Bind mounts: where in the container, and from where on this machine. */
  binds: { destination: string; source: string }[];
  /** Places of mounts that whoever makes the container anew makes, too. */
  made?: ReadonlySet<string>;
  /** What the images are held against; undefined: there is no configuration. */
  grants?: Grants;
  /** A configuration file for CRIU, which goes over what the runtime asks of it. */
  criuConfig?: string;
}

/**
 * What a config.json (or Podman's `spec.dump`, which comes with the images) in directory `dir` says; undefined where it
 * is none. A member of another type than the specification's is taken for absent: runtimes refuse it themselves.
 */
export function bundleOf(text: string, dir: string): Bundle | undefined {
  let parsed: unknown;
  try {
    parsed = parsedJson(text);
  } catch {
    return undefined;
  }
  const config = object(parsed);
  const path = string(object(config["root"])["path"]);
  if (path === undefined) return undefined;
  const criuConfig = string(object(config["annotations"])["org.criu.config"]);
  const within = (name: string) => absolute(resolve(dir, name));
  return {
    root: within(path),
    ...(criuConfig === undefined ? {} : { criuConfig }),
    binds: list(config["mounts"]).flatMap((each) => {
      const mount = object(each);
      const destination = string(mount["destination"]);
      const source = string(mount["source"]);
      const bind =
        mount["type"] === "bind" ||
        list(mount["options"]).some((option) => option === "bind" || option === "rbind");
      return destination !== undefined && source !== undefined && bind
        ? [{ destination, source: within(source) }]
        : [];
    }),
    grants: grantsOf(config),
  };
}

type BundleResult = { ok: true; bundle: Bundle } | { ok: false; problem: string };

/** Read DIR/config.json. It is the runtime's caller's, so it is believed as the runtime believes it. */
export function readBundle(dir: string): BundleResult {
  const file = join(dir, "config.json");
  const opened = openRegular(file);
  if (!opened.ok) return { ok: false, problem: `${file}: ${opened.problem}` };
  let text: string;
  try {
    text = readFileSync(opened.fd, "utf8");
  } catch (error) {
    return { ok: false, problem: `${file}: ${(error as Error).message}` };
  } finally {
    closeSync(opened.fd);
  }
  const bundle = bundleOf(text, dir);
  return bundle === undefined
    ? { ok: false, problem: `${file}: it is no OCI configuration with a root.path` }
    : { ok: true, bundle };
}

/** linux.namespaces by the names of /proc/PID/ns. A time namespace is always made by CRIU. */
const kinds: Readonly<Record<string, string>> = {
  mount: "mnt",
  pid: "pid",
  network: "net",
  ipc: "ipc",
  uts: "uts",
  user: "user",
  cgroup: "cgroup",
};

function grantsOf(config: Json): Grants {
  const process = object(config["process"]);
  const linux = object(config["linux"]);
  const capabilities = object(process["capabilities"]);
  const set = (name: string) =>
    list(capabilities[name]).reduce<bigint>((bits, each) => {
      const number = capabilityNumber(string(each) ?? "");
      return number === undefined ? bits : bits | (1n << BigInt(number));
    }, 0n);
  return {
    namespaces: list(linux["namespaces"]).flatMap((each) => {
      const { type, path } = object(each);
      const kind = kinds[string(type) ?? ""];
      return kind === undefined ? [] : [{ kind, path: string(path) || undefined }];
    }),
    capabilities: {
      bounding: set("bounding"),
      effective: set("effective"),
      permitted: set("permitted"),
      inheritable: set("inheritable"),
      ambient: set("ambient"),
    },
    noNewPrivileges: process["noNewPrivileges"] === true,
    seccomp: refuses(object(linux["seccomp"])),
    labels: {
      AppArmor: labelOf(process["apparmorProfile"]),
      SELinux: labelOf(process["selinuxLabel"]),
    },
    users: rangesOf(linux["uidMappings"]),
    groups: rangesOf(linux["gidMappings"]),
    readonlyRoot: object(config["root"])["readonly"] === true,
  };
}

/** runc takes a profile without a default action and rules for none. */
const refuses = ({ defaultAction, syscalls }: Json): boolean =>
  [defaultAction, ...list(syscalls).map((rule) => object(rule)["action"])].some(
    (action) => typeof action === "string" && action !== "" && action !== "SCMP_ACT_ALLOW",
  );

const labelOf = (value: unknown): string | undefined =>
  value === "unconfined" ? undefined : string(value) || undefined;

function rangesOf(mappings: unknown): IdRange[] | undefined {
  const ranges = list(mappings).flatMap((each) => {
    const { hostID, size } = object(each);
    return typeof hostID === "number" && typeof size === "number"
      ? [{ first: hostID, count: size }]
      : [];
  });
  return ranges.length === 0 ? undefined : ranges;
}

type Json = Readonly<Record<string, unknown>>;

const object = (value: unknown): Json =>
  typeof value === "object" && value !== null ? (value as Json) : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const string = (value: unknown): string | undefined =>
  typeof value === "string" ? value : undefined;
