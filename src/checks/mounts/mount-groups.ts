/** Mounts that share what is mounted below them, as CRIU makes such groups anew with MOVE_MOUNT_SET_GROUP (mount-v2.c). */
import type { Context, Remedy } from "../finding.ts";
import type { Mount } from "./external.ts";

/** The option that has CRIU make mounts one by one, as it did before. */
export const oldWay = ({ request }: Context): Remedy => ({
  kind: "option",
  text: "have the mounts made the old way, each with its sharing",
  option: "--mntns-compat-mode",
  automatic: !request.explicit.has("mntns-compat-mode"),
});

export const shares = ({ entry }: Mount): boolean =>
  (entry.shared_id ?? 0) !== 0 || (entry.master_id ?? 0) !== 0;
