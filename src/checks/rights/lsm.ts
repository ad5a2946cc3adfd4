/** Security labels: AppArmor profiles and SELinux contexts (lsm.c, apparmor.c). */
import { knows } from "../../criu/index.ts";
import type { Host } from "../../host/index.ts";
import { oncePer } from "../../image/index.ts";
import type { Context } from "../finding.ts";
import { threadsWithCreds } from "./capabilities.ts";

type Lsm = "none" | "SELinux" | "AppArmor";

/** AppArmor's directory decides for CRIU; SELinux must be mounted, and may still be without labels. */
const lsmOf = oncePer((host: Host): Lsm => {
  if (host.exists("/sys/kernel/security/apparmor")) return "AppArmor";
  return host.exists("/sys/fs/selinux/enforce") || host.exists("/selinux/enforce")
    ? "SELinux"
    : "none";
});

/** Whose labels the images have (inventory_entry.lsmtype). */
export const savedLsm = ({ checkpoint }: Context): Lsm =>
  (["none", "SELinux", "AppArmor"] as const)[checkpoint.inventory?.lsmtype ?? 0] ?? "none";

export const runningLsm = ({ host }: Context): Lsm => lsmOf(host);

/** The label that CRIU will give a thread: --lsm-profile's where there was one, but for SELinux only from 4.1 on. */
export function labelAfter(context: Context, label: string | undefined): string | undefined {
  const { request, criu } = context;
  const asked = request.lsmProfile?.slice(request.lsmProfile.indexOf(":") + 1);
  if (!label || asked === undefined) return label || undefined;
  const heeded = runningLsm(context) !== "SELinux" || knows(criu?.version, "selinuxProfile", false);
  return heeded ? asked || undefined : label;
}

/** The first thread of each label. */
export function labels(context: Context): { task: number; tid: number; label: string }[] {
  const found = new Map<string, { task: number; tid: number; label: string }>();
  for (const { task, thread, creds } of threadsWithCreds(context.checkpoint))
    for (const label of [creds.lsm_profile, creds.lsm_sockcreate])
      if (label && !found.has(label)) found.set(label, { task, tid: thread.tid, label });
  return [...found.values()];
}
