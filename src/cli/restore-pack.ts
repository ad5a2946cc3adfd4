/** `restore PACK`: what `recriu pack` made is unpacked, and what is in it restored as any directory of images is. */
import { closeSync } from "node:fs";
import {
  absoluteFrom,
  mustBeSigned,
  recriuOptions,
  type Request,
  requestFrom,
  type Settings,
} from "../criu/index.ts";
import { again } from "../checks/again.ts";
import { chosenBy } from "../pack/chosen.ts";
import { unpack, type UnpackedPack } from "../pack/unpack.ts";
import { exitCode } from "../report/outcome.ts";
import { refused, type Told, tellLines } from "../report/told.ts";
import { openRegular } from "../sys/regular.ts";
import { STDIN } from "../image/archive-source.ts";
import { withOperand } from "./operand.ts";
import { orElse } from "./or-else-words.ts";

type Unpacked =
  | { readonly kind: "other" }
  | { readonly kind: "refused"; readonly told: Told }
  | {
      readonly kind: "pack";
      readonly pack: UnpackedPack;
      readonly request: Request;
      readonly settings: Settings;
    };

const exits = {
  other: exitCode.usage,
  failed: exitCode.usage,
  damaged: exitCode.images,
  refused: exitCode.blocked,
} as const;

/** What a request names that is no directory: a pack, ready to be restored; or another archive, of which others speak. */
export async function unpackedPack(
  rawArgs: readonly string[],
  { request, settings }: { request: Request; settings: Settings },
): Promise<Unpacked> {
  const file = request.imagesDir;
  const no = (problem: string, exit: number): Unpacked => ({
    kind: "refused",
    told: refused("restore", exit, `${file === STDIN ? "stdin" : file}: ${problem}`),
  });
  const opened = file === STDIN ? ({ ok: true, fd: 0 } as const) : openRegular(file);
  if (!opened.ok) return { kind: "other" };
  const signing = mustBeSigned(settings)
    ? (await import("../plan/signed.ts")).signedBy(settings)
    : undefined;
  if (signing?.ok === false) return no(signing.problem, exitCode.usage);
  const into = settings.onCommandLine.get("unpack-dir");
  const unpacked = await unpack(opened.fd, into, signing?.signed);
  if (opened.fd !== 0) closeSync(opened.fd);
  if (!unpacked.ok) {
    if (unpacked.kind === "other" && file !== STDIN) return { kind: "other" };
    return no(unpacked.problem, exits[unpacked.kind]);
  }
  const { pack } = unpacked;
  const refuse = (problem: string, exit: number): Unpacked => {
    pack.remove();
    return no(problem, exit);
  };
  const chosen = chosenBy(pack.options, pack.criu, settings);
  if (typeof chosen === "string") return refuse(`its options: ${chosen}`, exitCode.images);
  tellLines(chosen.told);
  const words = withOperand(orElse(rawArgs).words, recriuOptions);
  const end = words.indexOf("--");
  // Of two -D the last one counts.
  const given = words.toSpliced(
    end < 0 ? words.length : end,
    0,
    "-D",
    pack.images,
    ...here(request),
  );
  const asked = requestFrom([...chosen.words, ...given], process.env, recriuOptions);
  if (!asked.ok) return refuse(asked.problem, exitCode.usage);
  if (pack.isKept) return { kind: "pack", pack, ...asked };
  return {
    kind: "pack",
    pack,
    settings: asked.settings,
    request: {
      ...asked.request,
      typed: new Map([...asked.request.typed, [pack.images, request.typed.get(file) ?? file]]),
      // It names the pack: the directory will be gone.
      again: again({ settings, request }),
    },
  };
}

/** Files that CRIU writes beside the images, where it is not told another place: those that were asked for stay. */
function here({ explicit, logFile, pidfile, typed }: Request): string[] {
  if (explicit.has("work-dir")) return [];
  const written = (option: string, path: string | undefined) => {
    const word = path === undefined ? undefined : (typed.get(path) ?? path);
    return word === undefined || word === "-" ? [] : [option, absoluteFrom(".", word)];
  };
  return [...written("--log-file", logFile), ...written("--pidfile", pidfile)];
}
