/**
 * The errno of a refusal, as CRIU's answer would have it (cr_errno of criu_resp): callers of libcriu find it in errno.
 * CRIU sets one for a request that it cannot set itself up for, and for the number of the root task; no other.
 */
import type { Finding } from "../checks/index.ts";
import { EEXIST } from "../sys/errno.ts";

const EBADRQC = 56;

/** What keeps CRIU from setting itself up. */
const setUp = new Set(["criu-too-old", "privilege", "tmp-missing", "work-dir-unwritable"]);

/** `root`: the number of the root task in the images. */
export function crErrno(
  findings: readonly Finding[],
  root: number | undefined,
): number | undefined {
  if (findings.some(({ id }) => setUp.has(id))) return EBADRQC;
  const taken = findings.some(({ id, subject }) => id === "pid-in-use" && subject === String(root));
  return taken ? EEXIST : undefined;
}
