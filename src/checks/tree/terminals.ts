/** The terminals of a checkpoint, as CRIU sorts them by their device numbers (tty.c, get_tty_driver). */
import type { Request } from "../../criu/index.ts";
import { filesWith, type Checkpoint, type TtyInfoEntry } from "../../image/index.ts";

type Kind = "master" | "slave" | "console" | "ctty" | "vt" | "serial" | "external" | "unknown";

export interface Tty {
  info: TtyInfoEntry;
  /** Id in files.img. */
  file: number;
  kind: Kind;
  /** What names it to --external and --inherit-fd. */
  key: string;
  /** It was external at the dump. */
  wasExternal: boolean;
  path: string | undefined;
  mntId: number | undefined;
  /** Of the device at the path: CRIU gives it again. */
  mode: number | undefined;
}

const EXT_TTY = 5;

/** In the order of CRIU's list: by tty-info.img, then files.img. */
export function terminals(checkpoint: Checkpoint, request: Request): Tty[] {
  if (checkpoint.ttys.length === 0) return [];
  const files = new Map<number, { id: number; regf_id?: number | undefined }[]>();
  for (const { tty } of filesWith(checkpoint, "tty")) {
    const others = files.get(tty.tty_info_id);
    if (others === undefined) files.set(tty.tty_info_id, [tty]);
    else others.push(tty);
  }
  const external = new Set(request.inheritFds.map((fd) => fd.key));
  for (const { kind, key } of request.external) if (kind === "tty") external.add(`tty[${key}]`);
  return checkpoint.ttys.flatMap((info) => {
    const key = `tty[${info.rdev.toString(16)}:${(info.dev ?? 0).toString(16)}]`;
    const kind = external.has(key) ? "external" : kindOf(info);
    return (files.get(info.id) ?? []).map(({ id, regf_id }): Tty => {
      const reg = checkpoint.openFiles.get(regf_id ?? id)?.reg;
      const wasExternal = info.type === EXT_TTY;
      return {
        info,
        file: id,
        kind,
        key,
        wasExternal,
        path: reg?.name,
        mntId: reg?.mnt_id,
        mode: reg?.mode,
      };
    });
  });
}

/** By the numbers of Linux's Documentation/admin-guide/devices.txt. */
function kindOf({ rdev, pty }: TtyInfoEntry): Kind {
  const major = (rdev >>> 8) & 0xfff;
  const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
  if (major === 5)
    return minor === 2 && pty
      ? "master"
      : minor === 1
        ? "console"
        : minor === 0
          ? "ctty"
          : "unknown";
  if (major === 4) return minor >= 1 && minor <= 63 ? "vt" : "unknown";
  if (major === 188 || major === 204) return "serial";
  if (major >= 128 && major <= 135 && pty) return "master";
  return major === 136 && pty ? "slave" : "unknown";
}

export const imageOf = ({ info }: Tty): string => `tty-info.img id 0x${info.id.toString(16)}`;

export const isPty = ({ kind }: Tty): boolean => kind === "master" || kind === "slave";

/** Whether CRIU makes the terminal by this descriptor: a line of the machine is a slave where the job's caller has it. */
export const isMaster = ({ kind }: Tty, request: Request): boolean =>
  kind === "vt" || kind === "serial" ? !request.shellJob : kind !== "slave";

/** Whether another terminal takes the place of one whose other end is not in the images, one for the whole tree. */
export const exchanges = ({ shellJob, orphanPtsMaster }: Request): boolean =>
  shellJob || orphanPtsMaster;

/** Slaves that were in use, without their masters in the images, one for each terminal. Ids of masters are odd. */
export function unpairedSlaves(ttys: readonly Tty[]): Tty[] {
  const active = new Map<number, Tty>();
  for (const tty of ttys)
    if (isPty(tty) && tty.info.termios !== undefined) active.set(tty.info.id, tty);
  return [...active].filter(([id]) => id % 2 === 0 && !active.has(id + 1)).map(([, tty]) => tty);
}
