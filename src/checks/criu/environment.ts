/** What CRIU itself needs around it: its pid file, scripts that can be run, /tmp (log.c, action-scripts.c, mount.c). */
import type { Context } from "../finding.ts";

/** The first bytes of a file as text; none when it cannot be read. */
export const textAt = ({ host }: Context, path: string): string =>
  Buffer.from(host.bytes(path, 0, 256) ?? []).toString("latin1");
