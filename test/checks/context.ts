/** A Context for checks of edited images: a checkpoint of bytes on a host that has nothing against it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "../../src/checks/index.ts";
import { namespacesOf } from "../../src/checks/index.ts";
import { requestFrom } from "../../src/criu/index.ts";
import type { Host } from "../../src/host/index.ts";
import { type Manifest, openCheckpoint, type Seal } from "../../src/image/index.ts";
import { quietHost } from "../host/quiet.ts";
import { frozen } from "../image/frozen.ts";

export interface Faked {
  /** Options of `criu restore`. */
  options?: string[];
  version?: string;
  host?: Partial<Host>;
  own?: Partial<Context["settings"]>;
  bundle?: Context["bundle"];
  exported?: Context["exported"];
  seal?: Context["seal"];
}

/** Use a context of images (by name) until the callback ends. */
export function withContext<T>(
  images: Record<string, Uint8Array>,
  faked: Faked,
  use: (context: Context) => T,
): T {
  const dir = mkdtempSync(join(tmpdir(), "recriu-context-"));
  try {
    for (const [name, bytes] of Object.entries(images)) writeFileSync(join(dir, name), bytes);
    return use(contextOf(dir, faked));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A context of the images in a directory. */
export function contextOf(
  dir: string,
  { options = [], version = "4.1.1", host = {}, own = {}, bundle, exported, seal }: Faked,
): Context {
  const opened = openCheckpoint(dir);
  const asked = requestFrom(["-D", dir, ...options], {});
  if (!opened.ok || !asked.ok) throw new Error("no context");
  const machine = quietHost(host);
  const checkpoint = frozen(opened.checkpoint);
  const { request } = asked;
  return {
    checkpoint,
    request,
    settings: {
      schedPrio: undefined,
      allowGrown: [],
      usePacked: [],
      mapPath: [],
      untrusted: false,
      allowWrite: [],
      verifyKeys: [],
      requireSignature: false,
      criu: undefined,
      from: {},
      words: [],
      ...own,
    },
    host: machine,
    criu: {
      path: "/usr/sbin/criu",
      version,
      startRefusal: () => ({ kind: "none" }),
      featureRefusal: () => ({ kind: "none" }),
      cpuRefusal: () => ({ kind: "none" }),
    },
    namespaces: namespacesOf(checkpoint, machine, request),
    isolate: new Set(),
    isolateDirs: [],
    replaced: [],
    bundle,
    exported,
    seal,
  };
}

/** The seal of a checkpoint of which the manifest says this. */
export const sealedWith = (said: Partial<Manifest>): Extract<Seal, { ok: true }> => ({
  ok: true,
  manifest: {
    schema: 1,
    recriu: "0",
    criu: null,
    kernel: "6.1",
    machine: "x64",
    cpu: [],
    images: {},
    files: [],
    ...said,
  },
  altered: [],
  leftOut: new Map(),
  signedBy: undefined,
});
