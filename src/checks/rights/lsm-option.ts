import { compareVersions } from "../../criu/index.ts";
import type { Check, Problem } from "../finding.ts";
import { runningLsm } from "./lsm.ts";

export const lsmOption: Check = {
  title: "--lsm-profile is not what this machine can do",
  reads: "--lsm-profile; /sys/kernel/security/apparmor, /sys/fs/selinux",
  why: "The option wants apparmor:NAME, selinux:CONTEXT or none:, and the module that it names must run here.",
  proof: "criu",
  run(context) {
    const value = context.request.lsmProfile;
    if (value === undefined) return [];
    const finding = (message: string, criu_message: string): Problem[] => [
      {
        severity: "blocker",
        image: "",
        subject: `--lsm-profile ${value}`,
        message,
        criu_message,
        remedy: { kind: "human", text: "leave --lsm-profile out, or correct it" },
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
      if (module === "apparmor" || version === undefined || compareVersions(version, "4.1") >= 0)
        return [];
      const [ignored] = finding(`CRIU ${version} ignores --lsm-profile for SELinux`, "");
      return [{ ...ignored!, severity: "warning" }];
    }
    return finding(
      `--lsm-profile names ${module}, and here runs ${runs === "none" ? "no such module" : runs}`,
      `${module} LSM specified but ${module} not supported by kernel`,
    );
  },
};
