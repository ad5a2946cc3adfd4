/** What tasks hold of the kernel's: I/O contexts, pipes, memory files, owners of files (aio.c, pipes.c, memfd.c, files.c). */
import type { Context } from "../finding.ts";

/** A number of /proc/sys. */
export function setting({ host }: Context, name: string): number | undefined {
  const text = host.read(`/proc/sys/${name}`);
  return text === undefined ? undefined : Number(text.trim());
}
