/** The incident's tree: a VNC server and a browser that talks to it over /tmp/.X11-unix (test/workloads/desktop.c). */
import { expect } from "bun:test";
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { edit } from "../restore/edit.ts";
import type { Run } from "../restore/stage.ts";
import { repository } from "../built.ts";
import { png } from "./png.ts";
import { lookAt, type Screen } from "./rfb.ts";

/** Where scripts/setup has unpacked the programs. */
export const programs = join(repository, ".cache/incident/root");
export const alivePage = join(import.meta.dir, "page.html");
const shots = join(repository, "dist/incident");

export const DISPLAY = 0;
export const SOCKET = `/tmp/.X11-unix/X${DISPLAY}`;

/**
 * What a browser of root's in a bare container needs: no sandbox, no /dev/shm. Its zygote has descriptors on their way
 * in sockets, which CRIU cannot dump. docs/incident.md has CRIU's words.
 */
const alone = [
  "--no-sandbox",
  "--no-zygote",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
];
const size = { width: 800, height: 600 };

/** The last words of a verdict. Chromium has deleted files, whose names cannot be compared: then it says less. */
export const asSaved = /the tree is the saved one|what was compared is as it was saved/;

/** Options of the dump. */
export const dumpOptions = ["--ext-unix-sk", "--file-locks", "--ghost-limit", "100M"];

export interface Where {
  /** The VNC server's own socket, the browser's profile and home, and the page, as the tree sees them. */
  vnc: string;
  home: string;
  page: string;
}

/**
 * The arguments of test/workloads/desktop.c behind READY. No TCP: CRIU 4.1 cannot dump its sockets on every kernel. No
 * abstract socket: libX11 prefers it, and the display would be found without its directory.
 */
export function desktopWords({ vnc, home, page }: Where): string[] {
  const env = `HOME=${home} XDG_RUNTIME_DIR=${home} DBUS_SESSION_BUS_ADDRESS=disabled: DBUS_SYSTEM_BUS_ADDRESS=disabled:`;
  const server = `exec Xtigervnc :${DISPLAY} -geometry ${size.width}x${size.height} -depth 24 -SecurityTypes None -rfbport -1 -rfbunixpath ${vnc} -extension MIT-SHM -nolisten local`;
  const window = `--window-size=${size.width},${size.height} --window-position=0,0 --user-data-dir=${home}/profile`;
  const browser = `/usr/lib/chromium/chromium ${alone.join(" ")} ${window} file://${page}`;
  return [SOCKET, server, `export ${env}; DISPLAY=:${DISPLAY} exec ${browser}`];
}

/** A look at the screen, kept as dist/incident/NAME.png. */
export async function shot(socket: string, name: string): Promise<Screen> {
  const screen = await lookAt(socket);
  mkdirSync(shots, { recursive: true });
  writeFileSync(join(shots, `${name}.png`), png(screen));
  return screen;
}

/** The part of two screens' pixels that differ, between two rows. */
function differing(a: Screen, b: Screen, [from, to]: readonly [number, number]): number {
  let count = 0;
  for (let at = from * a.width * 3; at < to * a.width * 3; at += 3)
    if (
      a.rgb[at] !== b.rgb[at] ||
      a.rgb[at + 1] !== b.rgb[at + 1] ||
      a.rgb[at + 2] !== b.rgb[at + 2]
    )
      count += 1;
  return count / ((to - from) * a.width);
}

/** Rows of the browser's own window above the page, and one through the bar that the page moves. */
const FRAME = [0, 80] as const;
const BAR = 410;

/** The page's bar, #f80, as its share of a row in the middle of it; 0 where the page is not. */
function bar({ width, rgb }: Screen): number {
  let count = 0;
  for (let x = 0; x < width; x++) {
    const at = (BAR * width + x) * 3;
    if (rgb[at] === 0xff && rgb[at + 1] === 0x88 && rgb[at + 2] === 0) count += 1;
  }
  return count / width;
}

/** The page is there, and moves by itself. Returns the screen. */
export async function alive(socket: string, name: string): Promise<Screen> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const first = bar(await lookAt(socket));
    await Bun.sleep(350);
    const screen = await shot(socket, name);
    const second = bar(screen);
    if (first > 0 && second > 0 && first !== second) return screen;
    if (performance.now() > deadline) throw new Error(`${name}: the page does not move`);
  }
}

/** The windows are those of before. */
export function sameWindows(before: Screen, after: Screen): void {
  expect([after.name, after.width, after.height]).toEqual([
    before.name,
    before.width,
    before.height,
  ]);
  expect(differing(before, after, FRAME)).toBeLessThan(0.01);
}

/** The windows of the display, as a new X client lists them. `run` runs a command where the programs are. */
export async function windows(run: (words: string[]) => Promise<Run>): Promise<string[]> {
  const client = "xwininfo -root -tree".split(" ");
  const { exit, stdout } = await run(["env", "LC_ALL=C", `DISPLAY=:${DISPLAY}`, ...client]);
  expect(exit).toBe(0);
  return stdout.split("\n").filter((line) => line.includes(" 0x"));
}

/** Makes images as CRIU before 4.0 would have written them: the real-time thread's priority is not there. */
export function dropPriority(images: string): void {
  for (const file of readdirSync(images).filter((name) => name.startsWith("core-")))
    edit(images, file, ([{ thread_core }]) => {
      if (thread_core.sched_policy >= 0x40000000) delete thread_core.sched_prio;
    });
}

/** What every CRIU says of these. */
export const noPriority = "Inconsistent sched params received (1073741826.0.0)";

/** What CRIU says where the directory of the socket is gone. */
export const noDirectory = new RegExp(
  `unix: Can't bind id \\S+ ino \\d+ addr ${SOCKET}: No such file or directory`,
);

/** A copy of a browser's home. A restored browser writes to it: each restore begins with that of the dump. */
export function copyHome(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
}
