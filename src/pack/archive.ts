/** An archive, looked at before anything is restored from it: a container's checkpoint, or a pack. */
import { again } from "../checks/again.ts";
import { type RecriuOption, requestFrom } from "../criu/index.ts";
import { type Archive, openArchive } from "../image/archive.ts";
import { type Seal, type Signed, unlookedSeal } from "../image/index.ts";
import { preflight, type PreflightResult } from "../plan/preflight.ts";
import { type Line, said } from "../report/told.ts";
import { preflightExported } from "../runtime/archive.ts";
import { chosenBy } from "./chosen.ts";
import { CONTENTS, parseContents, TOP } from "./layout.ts";

/** `damaged`: the archive is one, and cannot be read; `told`: what it added of its own. */
export type ArchivePreflight =
  | (PreflightResult & { readonly told?: readonly Line[] })
  | { ok: false; problem: string; damaged: boolean };

/** Preflight of an archive with further words for CRIU. Nothing stays unpacked. `seal`: of a container's. */
export async function preflightArchive(
  file: string,
  words: readonly string[],
  options: readonly RecriuOption[],
  seal?: (signed?: Signed) => Seal | undefined,
): Promise<ArchivePreflight> {
  const opened = await openArchive(file);
  if (!opened.ok) return { ...opened, problem: `${file}: ${opened.problem}` };
  const { archive } = opened;
  try {
    return archive.kind === "pack"
      ? await preflightPack(archive, file, words, options)
      : await preflightExported(archive, file, words, options, seal);
  } finally {
    archive.dispose();
  }
}

/** A pack is restored as any directory. Its page data is not looked at: of its seal what the tree needs besides. */
async function preflightPack(
  { dir, texts }: Archive,
  file: string,
  words: readonly string[],
  options: readonly RecriuOption[],
): Promise<ArchivePreflight> {
  const typed = requestFrom(["-D", file, ...words], process.env, options);
  if (!typed.ok) return { ok: false, problem: typed.problem };
  const text = texts.get(`${TOP}/${CONTENTS}`);
  const contents = text === undefined ? undefined : parseContents(text);
  const chosen =
    typeof contents === "object" ? chosenBy(contents.options, undefined, typed.settings) : contents;
  if (typeof chosen === "string")
    return { ok: false, problem: `${file}: ${CONTENTS}: ${chosen}`, damaged: true };
  const asked = requestFrom(["-D", dir, ...(chosen?.words ?? []), ...words], process.env, options);
  if (!asked.ok) return { ok: false, problem: asked.problem };
  const request = {
    ...asked.request,
    typed: new Map([...asked.request.typed, [dir, file]]),
    again: again(typed),
  };
  // It is not run before it was asked for.
  const brings = typeof contents === "object" && Object.keys(contents.criu).length > 0;
  const result = await preflight(request, asked.settings, {
    stands: ({ id }) => !brings || id !== "criu-missing",
    seal: (signed) => unlookedSeal(dir, { signed }),
    pagesUnread: true,
    looksOnly: true,
  });
  if (!result.ok) return result;
  const { criu } = result.preflight;
  const by = criu === undefined ? "without one" : `with ${criu.path}`;
  const told = brings
    ? [said`the pack brings a CRIU, which is not started here: looked at ${by}`]
    : [];
  return {
    ok: true,
    preflight: { ...result.preflight, images: file },
    told: [...(chosen?.told ?? []), ...told],
  };
}
