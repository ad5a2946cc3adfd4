/** A checkpoint that Podman exported, looked at before it is imported: the container is not there yet. */
import { type RecriuOption, requestFrom } from "../criu/index.ts";
import type { Exported } from "../checks/index.ts";
import type { Archive } from "../image/archive.ts";
import { type Seal, sealOf, type Signed } from "../image/index.ts";
import { preflight, type PreflightResult } from "../plan/preflight.ts";
import { type Bundle, bundleOf } from "./bundle.ts";
import { exportedFrom } from "./exported.ts";
import { externalMounts, standsUnderRuntime } from "./request.ts";

/** What only the container's root file system could tell; Podman makes it from the image and the archive. */
const needsRoot = new Set(["root-needed", "root-missing", "work-dir-unwritable"]);

/** Preflight of what was unpacked of such an archive, with further words for CRIU. */
export async function preflightExported(
  { dir, texts }: Archive,
  file: string,
  words: readonly string[],
  options: readonly RecriuOption[],
  seal: (signed?: Signed) => Seal | undefined = (signed) => sealOf(file, { archive: true, signed }),
): Promise<PreflightResult> {
  const exported = await exportedFrom(file, texts, process.env);
  const bundle = archivedBundle(texts, exported);
  const mounts = [...externalMounts(dir, bundle)].flatMap(([key, source]) => [
    "--external",
    `mnt[${key}]:${source}`,
  ]);
  const asked = requestFrom(["-D", dir, ...mounts, ...words], process.env, options);
  if (!asked.ok) return { ok: false, problem: asked.asked === undefined ? asked.problem : "" };
  const result = await preflight(asked.request, asked.settings, {
    stands: (finding) => !needsRoot.has(finding.id) && standsUnderRuntime(finding, bundle),
    seal,
    bundle: bundle.grants,
    exported,
    pagesUnread: true,
    looksOnly: true,
  });
  return result.ok ? { ok: true, preflight: { ...result.preflight, images: file } } : result;
}

/**
 * The bundle that was checkpointed, without what the engine makes anew: a pod's mounts are all made for it, and a namespace that
 * was named by a path was another process's, of which nothing here tells whether it was the machine's own.
 */
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
  const { grants } = bundle;
  return {
    ...bundle,
    ...(grants && {
      grants: { ...grants, namespaces: grants.namespaces.filter(({ path }) => path === undefined) },
    }),
    binds: bundle.binds.filter((bind) => !made.includes(bind)),
    made: new Set(made.map(({ destination }) => destination)),
  };
}
