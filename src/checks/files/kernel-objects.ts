/** What tasks hold of the kernel's: I/O contexts, pipes, memory files, owners of files (aio.c, pipes.c, memfd.c, files.c). */
import { sh } from "../../sys/shell.ts";
import type { Context } from "../finding.ts";

/** A number of /proc/sys. */
export function setting({ host }: Context, name: string): number | undefined {
  const text = host.read(`/proc/sys/${name}`);
  return text === undefined ? undefined : Number(text.trim());
}

/** How a limit is raised for good. */
export const raise = (name: string, value: number) =>
  ({
    kind: "human",
    text: "raise the limit",
    command: sh`sysctl -w ${name.replaceAll("/", ".")}=${value}`,
  }) as const;
