/**
 * CRIU started before anybody knows whether it may restore. Starting takes it 20 ms and more, and until it reads its
 * first image, the inventory, it changes nothing: so it starts while recriu reads the images, and is held there.
 *
 * It is given a shadow of the images, in which the inventory is a pipe of recriu's as long as it is held. When it may
 * go on, the other images are put there, and it reads what it waits for; when it may not, or recriu dies, it finds the
 * pipe at its end and ends, too. What it says is heard only when it may go on, and its log's file is opened then.
 */
import { closeSync, readdirSync, statSync, writeSync } from "node:fs";
import { join } from "../sys/path.ts";
import {
  findCriu,
  type OwnOptions,
  type Request,
  type RunningCriu,
  startCriu,
} from "../criu/index.ts";
import { thisHost } from "../host/index.ts";
import { openImageDirectory } from "../image/directory.ts";
import { beginChanges, type Changes } from "../repair/changes.ts";
import { FIRST, holdFirst, inMemory, openShadow } from "../repair/shadow.ts";
import { ENOENT } from "../sys/errno.ts";
import { builtInPlugins } from "../checks/criu/plugins.ts";
import { pipe } from "../sys/files.ts";
import { openOwnFile } from "../sys/own-file.ts";
import { becomeSubreaper } from "../sys/process.ts";
import { type Gate, openGate, pointsFor } from "./gate.ts";
import { givenLimits } from "./limits.ts";

export interface Held {
  readonly changes: Changes;
  readonly gate: Gate;
  /** It has ended by itself: it fails to start, or wants another image first. */
  readonly ended: boolean;
  /** Let it go on, the shadow being filled; or what is in the way. */
  letGo(): { ok: true; criu: RunningCriu } | { ok: false; problem: string };
  /** It must not: wait until it has ended, and take everything back. */
  drop(): Promise<void>;
}

/** A link for each of more images takes as long as CRIU to start. */
const MOST_IMAGES = 2000;
/** What a pipe takes at once, pipe(7). */
const PIPE_BUF = 4096;
/** Milliseconds that CRIU may take to end. It is killed only then: one that is killed while it starts may leave a temporary file that makes every later start slow. */
const PATIENCE = 5000;

/** Start CRIU for a request and hold it; undefined where that would not be as good as starting it later. */
export function holdCriu(request: Request, own: OwnOptions): Held | undefined {
  const places = inMemory();
  if (places.length === 0 || !holds(request, own)) return undefined;
  const found = findCriu(own.criu, process.env);
  if (!found.ok || hasForeignPlugins(found.path, request)) return undefined;
  const inventory = pipe();
  if (typeof inventory === "number") return undefined;
  const [read, write] = inventory;
  const opened = openGate(pointsFor(request));
  const changes = beginChanges(request.imagesDir);
  const shadow = openShadow(places, changes.record);
  const fail = () => {
    for (const end of inventory) closeSync(end);
    if (opened.ok) opened.gate.close();
    changes.undo();
    return undefined;
  };
  if (!opened.ok || !shadow.ok || changes.problem !== undefined) return fail();
  const { gate } = opened;
  changes.shadow = shadow.shadow;
  let criu: RunningCriu;
  try {
    holdFirst(shadow.shadow, `/proc/${process.pid}/fd/${read}`);
    becomeSubreaper();
    criu = startCriu({
      path: found.path,
      request,
      options: ["--action-script", gate.script],
      images: { dir: changes.images!, workDir: request.workDir },
      stdout: own.json ? "stderr" : "inherit",
      quiet: true,
      ...givenLimits(),
    });
  } catch {
    return fail();
  }
  let held = true;
  const release = () => {
    if (held) closeSync(write);
    held = false;
  };
  let ended = false;
  void criu.exited.finally(() => {
    ended = true;
    closeSync(read);
  });
  return {
    changes,
    gate,
    get ended() {
      return ended;
    },
    letGo() {
      try {
        const bytes = inventoryOf(changes.images!);
        criu.listen();
        writeSync(write, bytes);
      } catch (error) {
        return { ok: false, problem: (error as Error).message };
      }
      release();
      return { ok: true, criu };
    },
    async drop() {
      release();
      const kill = setTimeout(() => criu.kill("SIGKILL"), PATIENCE);
      await criu.exited;
      clearTimeout(kill);
      gate.close();
      changes.undo();
    },
  };
}

/**
 * Whether others can change the plugins that nobody named. Old CRIUs load them before they read anything, so what the check
 * (writable-by-others) says would come too late.
 */
function hasForeignPlugins(criu: string, { libdir }: Request): boolean {
  const host = thisHost();
  const found = libdir === undefined ? builtInPlugins(host, criu, false) : undefined;
  if (found === undefined) return false;
  const paths = [found.directory, ...found.files.map((name) => `${found.directory}/${name}`)];
  return paths.some((path) => host.changeable(path) !== undefined);
}

/** Whether CRIU would do the same, and nobody see a difference. */
function holds(request: Request, own: OwnOptions): boolean {
  const { imagesDir } = request;
  const theirs = request.actionScripts.length > 0 || request.execCmd !== undefined;
  const elsewhere = request.stream || request.lazyPages || request.logPerPid;
  const streams = request.fds.includes(1) || request.fds.includes(2);
  if (own.dryRun || own.verify === "off" || theirs || elsewhere || streams) return false;
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
