/** A checkpoint that Podman exported, looked at before it is imported: the container is not there yet. */
import { type RecriuOption, requestFrom } from "../criu/index.ts";
import type { Exported } from "../checks/index.ts";
import { openArchive } from "../image/archive.ts";
import { type Seal, sealOf, type Signed, unlookedSeal } from "../image/index.ts";
import { preflight, type PreflightResult } from "../plan/preflight.ts";
import { type Bundle, bundleOf } from "./bundle.ts";
import { exportedFrom } from "./exported.ts";
import { externalMounts, standsUnderRuntime } from "./request.ts";

/** What only the container's root file system could tell; Podman makes it from the image and the archive. */
const needsRoot = new Set(["root-needed", "root-missing", "work-dir-unwritable"]);

/** `damaged`: the archive is one, and cannot be read. */
export type ArchivePreflight = PreflightResult | { ok: false; problem: string; damaged: boolean };

/** Preflight of an archive with further words for CRIU. Nothing stays unpacked. */
export async function preflightArchive(
  file: string,
  words: readonly string[],
  options: readonly RecriuOption[],
  seal: (signed?: Signed) => Seal | undefined = (signed) => sealOf(file, { archive: true, signed }),
): Promise<ArchivePreflight> {
  const opened = await openArchive(file);
  if (!opened.ok) return { ...opened, problem: `${file}: ${opened.problem}` };
  const { archive } = opened;
  try {
    if (archive.kind === "pack") return await preflightPack(archive.dir, file, words, options);
    const exported = await exportedFrom(file, archive.texts, process.env);
    const bundle = archivedBundle(archive.texts, exported);
    const mounts = [...externalMounts(archive.dir, bundle)].flatMap(([key, source]) => [
      "--external",
      `mnt[${key}]:${source}`,
    ]);
    const asked = requestFrom(["-D", archive.dir, ...mounts, ...words], process.env, options);
    if (!asked.ok)
      return {
        ok: false,
        problem: asked.asked === undefined ? asked.problem : "",
        damaged: false,
      };
    const result = await preflight(asked.request, asked.settings, {
      stands: (finding) => !needsRoot.has(finding.id) && standsUnderRuntime(finding, bundle),
      seal,
      bundle: bundle.grants,
      exported,
      pagesUnread: true,
      looksOnly: true,
    });
    return result.ok ? { ok: true, preflight: { ...result.preflight, images: file } } : result;
  } finally {
    archive.dispose();
  }
}

/** What `recriu pack` made is restored as any directory. Its page data is not looked at: of its seal what the tree needs besides. */
async function preflightPack(
  dir: string,
  file: string,
  words: readonly string[],
  options: readonly RecriuOption[],
): Promise<ArchivePreflight> {
  const asked = requestFrom(["-D", dir, ...words], process.env, options);
  if (!asked.ok) return { ok: false, problem: asked.problem, damaged: false };
  const result = await preflight(asked.request, asked.settings, {
    seal: (signed) => unlookedSeal(dir, { signed }),
    pagesUnread: true,
    looksOnly: true,
  });
  return result.ok ? { ok: true, preflight: { ...result.preflight, images: file } } : result;
}

/** The bundle that was checkpointed, without the mounts that the engine makes anew: a pod's are all made for it. */
function archivedBundle(
  texts: ReadonlyMap<string, string>,
  { engine, id, volumes }: Exported,
): Bundle {
  const bundle = bundleOf(texts.get("spec.dump") ?? "", "/") ?? { root: "/", binds: [] };
  const isMade = (path: string) =>
    engine === "cri" ||
    (id !== undefined && path.includes(`/${id}/`)) ||
    volumes.some((name) => path.endsWith(`/volumes/${name}/_data`));
  const made = bundle.binds.filter(({ source }) => isMade(source));
  return {
    ...bundle,
    binds: bundle.binds.filter((bind) => !made.includes(bind)),
    made: new Set(made.map(({ destination }) => destination)),
  };
}
