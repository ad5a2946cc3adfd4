/** An OCI bundle: what its config.json says of the container's root and mounts (OCI runtime-spec, config.md). */
import { readFileSync } from "node:fs";
import { join } from "pathe";
import { absolute } from "../sys/working-directory.ts";

export interface Bundle {
  /** The root file system, absolute. */
  root: string;
  /** Bind mounts: where in the container, and from where on this machine. */
  binds: { destination: string; source: string }[];
}

/** What a config.json (or Podman's `spec.dump`) in directory `dir` says; undefined where it is none. */
export function bundleOf(text: string, dir: string): Bundle | undefined {
  let config: Config;
  try {
    config = JSON.parse(text) as Config;
  } catch {
    return undefined;
  }
  const path = config?.root?.path;
  if (typeof path !== "string") return undefined;
  const within = (name: string) => absolute(name.startsWith("/") ? name : join(dir, name));
  return {
    root: within(path),
    binds: (config.mounts ?? []).flatMap(({ destination, source, type, options }) =>
      source !== undefined &&
      (type === "bind" || options?.some((option) => option === "bind" || option === "rbind"))
        ? [{ destination, source: within(source) }]
        : [],
    ),
  };
}

export type BundleResult = { ok: true; bundle: Bundle } | { ok: false; problem: string };

/** Read DIR/config.json. It is the runtime's caller's, so it is believed as the runtime believes it. */
export function readBundle(dir: string): BundleResult {
  const file = join(dir, "config.json");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return { ok: false, problem: `${file}: ${(error as Error).message}` };
  }
  const bundle = bundleOf(text, dir);
  return bundle === undefined
    ? { ok: false, problem: `${file}: it is no OCI configuration with a root.path` }
    : { ok: true, bundle };
}

interface Config {
  root?: { path?: string };
  mounts?: { destination: string; source?: string; type?: string; options?: string[] }[];
}
