/** The kernel that runs here, by its release: of what no file of it tells. */
import type { Context } from "../finding.ts";

/** Whether the kernel's release is older than this one. */
export function older({ host }: Context, major: number, minor: number): boolean {
  const [a = 0, b = 0] = host.kernel.split(".").map((part) => Number.parseInt(part, 10));
  return a > 0 && (a < major || (a === major && b < minor));
}
