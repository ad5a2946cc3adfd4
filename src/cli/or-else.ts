/** Become another program where nothing came of a restore: a cold start. */
import type { Request } from "../criu/index.ts";
import { become, inheritedExec } from "../dropin/exec.ts";
import { said, tellLines } from "../report/told.ts";
import { errorText } from "../sys/errno.ts";

/** Returns only where that cannot be: why, in words. It is found as a shell finds it. */
export function becomeOther([name = "", ...words]: readonly string[], { fds }: Request): string {
  const path = Bun.which(name);
  if (path === null) return `--or-else: there is no program ${name}`;
  tellLines([said`nothing was restored: ${[name, ...words].join(" ")}`]);
  const cString = (word: string) => Buffer.from(`${word}\0`);
  const given = inheritedExec();
  const failed = become(path, { argv: [name, ...words].map(cString), env: given.env, fds });
  return `--or-else: ${path}: ${errorText(failed)}`;
}
