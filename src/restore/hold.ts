/**
 * CRIU started before anybody knows whether it may restore. Without a cache of what the kernel can do starting takes it 20 ms
 * and more, and until it reads its first image, the inventory, it changes nothing: so it starts while recriu reads the images,
 * and is held there.
 *
 * It is given a shadow of the images, in which the inventory is a pipe of recriu's as long as it is held. When it may
 * go on, the other images are put there, and it reads what it waits for; when it may not, or recriu dies, it finds the
 * pipe at its end and ends, too. What it says is heard only when it may go on, and its log's file is opened then.
 */
import { closeSync, existsSync, readdirSync, statSync, writeSync } from "node:fs";
import { join } from "../sys/path.ts";
import {
  findCriu,
  type Settings,
  type Request,
  type RunningCriu,
  startCriu,
} from "../criu/index.ts";
import { thisHost } from "../host/index.ts";
import { openImageDirectory } from "../image/directory.ts";
import { beginChanges, type Changes } from "../repair/changes.ts";
import { FIRST, holdFirst, inMemory } from "../repair/shadow.ts";
import { ENOENT } from "../sys/errno.ts";
import { builtInPlugins } from "../checks/criu/plugins.ts";
import { pipe } from "../sys/files.ts";
import { openOwnFile } from "../sys/own-file.ts";
import { becomeSubreaper } from "../sys/process.ts";
import { type Gate, openGate } from "./gate.ts";
import { inheritedLimits } from "./limits.ts";

/**
 * A CRIU that waits for its first image. Whoever lets go of it while it is held ends it: that is waited for, and everything
 * is taken back. A released CRIU belongs to the caller of `release`.
 */
export interface HeldCriu extends AsyncDisposable {
  /** ended: it was let go of, or has ended by itself: it fails to start, or wants another image first. */
  readonly state: "held" | "released" | "ended";
  readonly path: string;
  readonly changes: Changes;
  readonly gate: Gate;
  /** Let it go on, the shadow being filled. */
  release(): Release;
}

type Release =
  | { readonly state: "released"; readonly criu: RunningCriu }
  | { readonly state: "ended" }
  /** What is in the way. */
  | { readonly state: "held"; readonly problem: string };

/** CRIU's cache (kerndat.c). With it CRIU starts in some 3 ms, and to hold it takes as much processor time as it gives. */
const CACHE = "/run/criu.kdat";
/** A link for each of more images takes as long as CRIU to start. */
const MOST_IMAGES = 2000;
/** What a pipe takes at once, pipe(7). */
const PIPE_BUF = 4096;
/** CRIU may take so long to end. It is killed only then: one that is killed while it starts may leave a temporary file that makes every later start slow. */
const PATIENCE_MS = 5000;

/** Start CRIU for a request and hold it; undefined where that would not be as good as starting it later. */
export function holdCriu(request: Request, settings: Settings): HeldCriu | undefined {
  const places = inMemory();
  if (places.length === 0 || !holds(request, settings)) return undefined;
  const found = findCriu(settings.criu, process.env);
  if (!found.ok || hasForeignPlugins(found.path, request)) return undefined;
  using making = new DisposableStack();
  const inventory = pipe();
  if (typeof inventory === "number") return undefined;
  const [read, write] = inventory;
  const [reading, writing] = inventory.map((end) => {
    const one = making.use(new DisposableStack());
    one.adopt(end, closeSync);
    return one;
  });
  const opened = openGate();
  if (!opened.ok) return undefined;
  const gate = making.use(opened.gate);
  const changes = making.use(beginChanges(request.imagesDir));
  const shadow = changes.shadowIn(places);
  if (!shadow.ok || changes.problem !== undefined) return undefined;
  let criu: RunningCriu;
  try {
    holdFirst(shadow.shadow, `/proc/${process.pid}/fd/${read}`);
    becomeSubreaper();
    criu = startCriu({
      path: found.path,
      request,
      options: ["--action-script", gate.script],
      images: { dir: changes.images!, workDir: request.workDir },
      stdout: settings.json ? "stderr" : "inherit",
      quiet: true,
      ...inheritedLimits(),
    });
  } catch {
    return undefined;
  }
  const owned = making.move();
  let state: HeldCriu["state"] = "held";
  void criu.exited.finally(() => {
    if (state === "held") state = "ended";
    reading!.dispose();
  });
  return {
    get state() {
      return state;
    },
    path: found.path,
    changes,
    gate,
    release() {
      if (state !== "held") return { state: "ended" };
      try {
        const bytes = inventoryOf(changes.images!);
        criu.listen();
        writeSync(write, bytes);
      } catch (error) {
        return { state, problem: (error as Error).message };
      }
      writing!.dispose();
      state = "released";
      return { state, criu };
    },
    async [Symbol.asyncDispose]() {
      if (state === "released") return;
      state = "ended";
      writing!.dispose();
      const kill = setTimeout(() => criu.kill("SIGKILL"), PATIENCE_MS);
      await criu.exited;
      clearTimeout(kill);
      owned.dispose();
    },
  };
}

/**
 * Whether others can change the plugins of CRIU's built-in directory. Old CRIUs load them before they read anything, so what the check
 * (writable-by-others) says would come too late.
 */
function hasForeignPlugins(criu: string, { libdir }: Request): boolean {
  const host = thisHost();
  const found = libdir === undefined ? builtInPlugins(host, criu, false) : undefined;
  if (found === undefined) return false;
  const paths = [found.directory, ...found.files.map((name) => `${found.directory}/${name}`)];
  return paths.some((path) => host.changeable(path) !== undefined);
}

/** Whether a held CRIU does the same as one that is started later, by all that can be seen of it. */
function holds(request: Request, settings: Settings): boolean {
  const { imagesDir } = request;
  const theirs = request.actionScripts.length > 0 || request.execCmd !== undefined;
  const elsewhere = request.stream || request.lazyPages || request.logPerPid;
  const streams = request.fds.includes(1) || request.fds.includes(2);
  // Inside namespaces of the tree's own recriu's descriptors have other paths.
  const apart = settings.isolate !== undefined || settings.isolateDirs.length > 0;
  if (apart || settings.rehearse || existsSync(CACHE)) return false;
  if (settings.dryRun || settings.verify === "off" || theirs || elsewhere || streams) return false;
  if (request.logFile !== undefined && !isOurs(request.logFile)) return false;
  try {
    const { size } = statSync(join(imagesDir, FIRST));
    return size <= PIPE_BUF && readdirSync(imagesDir).length <= MOST_IMAGES;
  } catch {
    return false;
  }
}

/** Whether recriu can open CRIU's log in its place: no device, no pipe, and nothing that a user has put there. */
function isOurs(log: string): boolean {
  const opened = log === "-" ? undefined : openOwnFile(log);
  if (opened?.ok) closeSync(opened.fd);
  return opened === undefined || opened.ok || opened.errno === ENOENT;
}

/** The inventory's bytes, as the shadow has them. */
function inventoryOf(images: string): Uint8Array {
  const opened = openImageDirectory(images);
  const bytes =
    opened.ok &&
    opened.directory.read(FIRST, ({ read, size }) => read(0, Math.min(size, PIPE_BUF)).slice());
  if (!bytes || !bytes.ok) throw new Error("the inventory is gone");
  return bytes.value;
}
