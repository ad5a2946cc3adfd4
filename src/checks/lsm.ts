/** Security labels: AppArmor profiles and SELinux contexts (lsm.c, apparmor.c). */
import { knows } from "../criu/index.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { threadsWithCreds } from "./rights.ts";
import { sh } from "../sys/shell.ts";

type Lsm = "none" | "SELinux" | "AppArmor";

/** inventory_entry.lsmtype. */
const saved = ({ checkpoint }: Context): Lsm =>
  (["none", "SELinux", "AppArmor"] as const)[checkpoint.inventory?.lsmtype ?? 0] ?? "none";

/** AppArmor's directory decides for CRIU; SELinux must be mounted, and may still be without labels. */
export function runningLsm({ host }: Context): Lsm {
  if (host.exists("/sys/kernel/security/apparmor")) return "AppArmor";
  return host.exists("/sys/fs/selinux/enforce") || host.exists("/selinux/enforce")
    ? "SELinux"
    : "none";
}

/** The label that CRIU will give a thread: --lsm-profile's where there was one, but for SELinux only from 4.1 on. */
export function labelAfter(context: Context, label: string | undefined): string | undefined {
  const { request, criu } = context;
  const given = request.lsmProfile?.slice(request.lsmProfile.indexOf(":") + 1);
  if (!label || given === undefined) return label || undefined;
  const heeded = runningLsm(context) !== "SELinux" || knows(criu?.version, "selinuxProfile", false);
  return heeded ? given || undefined : label;
}

/** The first thread of each label. */
function labels(context: Context): { task: number; tid: number; label: string }[] {
  const found = new Map<string, { task: number; tid: number; label: string }>();
  for (const { task, thread, creds } of threadsWithCreds(context.checkpoint))
    for (const label of [creds.lsm_profile, creds.lsm_sockcreate])
      if (label && !found.has(label)) found.set(label, { task, tid: thread.tid, label });
  return [...found.values()];
}

export const lsmMismatch: Check = {
  id: "lsm-mismatch",
  title: "The tasks' security labels belong to another security module",
  reads: "inventory.img, creds in core-*.img; /sys/kernel/security/apparmor, /sys/fs/selinux",
  why:
    "Tasks under an AppArmor profile or with an SELinux context can only be restored where the same module runs and its file system is mounted. --lsm-profile " +
    "does not help: CRIU compares the modules first.",
  proof: "criu",
  run(context) {
    const [first] = labels(context);
    const was = saved(context);
    const is = runningLsm(context);
    if (first === undefined || (is !== "none" && (was === is || was === "none"))) return [];
    return [
      {
        id: "lsm-mismatch",
        severity: "blocker",
        task: first.task,
        image: `core-${first.tid}.img`,
        subject: first.label,
        message: `thread ${first.tid} had the ${was} label ${first.label}; here runs ${is === "none" ? "neither AppArmor nor SELinux" : is}`,
        criu_message:
          was === "none"
            ? `can't render profile ${first.label} for lsmtype 0`
            : "mismatched lsm types and lsm profile specified",
        remedy: {
          kind: "human",
          text: `restore where ${was} runs, and mount its file system if this is a container; or dump it again unconfined`,
          command:
            was === "SELinux"
              ? sh`mount -t selinuxfs selinuxfs /sys/fs/selinux`
              : sh`mount -t securityfs securityfs /sys/kernel/security`,
        },
      },
    ];
  },
};

/** Only a plain name can be looked up: stacks (`//&`) and policy namespaces (`:ns:`) are made by CRIU. */
const isPlain = (name: string): boolean => !name.includes("//&") && !name.startsWith(":");

export const apparmorProfileMissing: Check = {
  id: "apparmor-profile-missing",
  title: "An AppArmor profile is not loaded",
  reads: "creds in core-*.img, --lsm-profile; /sys/kernel/security/apparmor/profiles",
  why:
    "A confined task changes into its profile at the end of the restore, when nothing can be taken back any more. The kernel refuses a profile " +
    "that is not loaded.",
  proof: "images",
  run(context) {
    const listed = context.host.read("/sys/kernel/security/apparmor/profiles");
    if (runningLsm(context) !== "AppArmor" || listed === undefined) return [];
    const loaded = new Set(listed.split("\n").map((line) => line.replace(/ \(\w+\)$/, "")));
    const given = /^apparmor:(.+)$/.exec(context.request.lsmProfile ?? "")?.[1];
    const wanted = labels(context).map((found) => ({ ...found, label: given ?? found.label }));
    const names = new Set<string>();
    return wanted.flatMap(({ task, tid, label }): Finding[] => {
      if (!isPlain(label) || loaded.has(label) || names.has(label)) return [];
      names.add(label);
      return [
        {
          id: "apparmor-profile-missing",
          severity: "blocker",
          task,
          image: `core-${tid}.img`,
          subject: label,
          message: `the AppArmor profile ${label} of thread ${tid} is not loaded here`,
          criu_message: "can't write lsm profile -2",
          remedy: {
            kind: "human",
            text: "load the profile, or name another one by --lsm-profile apparmor:NAME",
            command: sh`apparmor_parser -r /etc/apparmor.d/${label.replaceAll("/", ".").replace(/^\./, "")}`,
          },
        },
      ];
    });
  },
};

export const lsmOption: Check = {
  id: "lsm-option",
  title: "--lsm-profile is not what this machine can do",
  reads: "--lsm-profile; /sys/kernel/security/apparmor, /sys/fs/selinux",
  why: "The option wants apparmor:NAME, selinux:CONTEXT or none:, and the module that it names must run here.",
  proof: "criu",
  run(context) {
    const value = context.request.lsmProfile;
    if (value === undefined) return [];
    const finding = (message: string, criu_message: string): Finding[] => [
      {
        id: "lsm-option",
        severity: "blocker",
        task: null,
        image: "",
        subject: `--lsm-profile ${value}`,
        message,
        criu_message,
        remedy: { kind: "human", text: "leave --lsm-profile out, or correct it", command: null },
      },
    ];
    const [module] = value.split(":", 1);
    if (!value.includes(":"))
      return finding(
        "--lsm-profile wants apparmor:NAME, selinux:CONTEXT or none:",
        `invalid argument ${value} for --lsm-profile`,
      );
    if (module === "none") return [];
    if (module !== "apparmor" && module !== "selinux")
      return finding(`--lsm-profile knows no module ${module}`, `unknown lsm ${module}`);
    const runs = runningLsm(context);
    const version = context.criu?.version;
    if (runs.toLowerCase() === module) {
      if (module === "apparmor" || knows(version, "selinuxProfile", true)) return [];
      const [ignored] = finding(`CRIU ${version} ignores --lsm-profile for SELinux`, "");
      return [{ ...ignored!, severity: "warning", criu_message: null }];
    }
    return finding(
      `--lsm-profile names ${module}, and here runs ${runs === "none" ? "no such module" : runs}`,
      `${module} LSM specified but ${module} not supported by kernel`,
    );
  },
};
