/** Terminals: devices that CRIU opens, and gives a mode, an owner and settings (tty.c). */
import type { Context } from "../finding.ts";
import { imageOf, terminals } from "../tree/terminals.ts";
import { effect, type Effect, landing, octal, shownStat } from "./effect.ts";
import { isHarmlessDevice, isOutside } from "./policy.ts";

const isPts = (rdev: number): boolean => rdev >>> 8 >= 136 && rdev >>> 8 <= 143;

/**
 * CRIU opens whatever is at the path and changes its mode before it finds out what that is. Terminals that are handed to
 * it are the caller's word.
 */
export const terminalEffects = (context: Context): Iterable<Effect> =>
  terminals(context.checkpoint, context.request)
    .values()
    .flatMap((tty): Effect[] => {
      const { kind, path: name, mntId, file, info } = tty;
      if (kind === "external" || name === undefined) return [];
      const land = landing(context, name, mntId);
      const { stat } = land;
      const device = stat?.isCharacterDevice() === true;
      const expected = device && (isPts(stat.rdev) || isHarmlessDevice(stat.rdev));
      const reg = context.checkpoint.openFiles.get(file);
      const mode =
        reg?.reg?.mode ?? context.checkpoint.openFiles.get(reg?.tty?.regf_id ?? file)?.reg?.mode;
      const shared = {
        what: device ? `terminal (${kind})` : "file",
        path: land.path ?? null,
        name,
        image: imageOf(tty),
      };
      // A pseudoterminal that CRIU makes is not there yet.
      const isNew = stat === undefined && /^\/dev\/pts\/\d+$/.test(name);
      const check =
        isNew || expected || !(device || isOutside(context, land))
          ? null
          : device
            ? "untrusted-device"
            : "untrusted-write";
      const owner = info.uid === undefined ? "" : `, owner ${info.uid}:${info.gid}`;
      return [
        effect({
          ...shared,
          verb: "change",
          detail: `${isNew ? "made: " : ""}${mode === undefined ? "settings" : `mode ${octal(mode)}`}${owner}${stat === undefined ? "" : `; now${shownStat(stat).slice(1)}`}`,
          check,
        }),
        effect({
          ...shared,
          verb: "write",
          detail: "open for reading and writing",
          when: "running",
          check,
        }),
      ];
    });
