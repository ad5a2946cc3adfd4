import type { Check } from "../finding.ts";
import type { GrantedCapabilities, Grants } from "../grants.ts";
import { capabilityName, type Creds, numbersOf, setOf } from "../rights/capabilities.ts";
import { credsOf, perThread } from "./bundle-rights.ts";

/**
 * The most that a process of the container can get: for root execve(2) makes the bounding set permitted, for others
 * set-user-ID programs do, but not under no_new_privs (capabilities(7), kernel/security/commoncap.c; seen with runc, crun).
 */
function reachable({ capabilities: granted, noNewPrivileges }: Grants): GrantedCapabilities {
  const { bounding, permitted, inheritable, ambient } = granted;
  const all = permitted | ambient | (noNewPrivileges ? 0n : bounding | inheritable);
  return { bounding, permitted: all, effective: all, inheritable: inheritable | all, ambient: all };
}

const sets = {
  bounding: "cap_bnd",
  permitted: "cap_prm",
  effective: "cap_eff",
  inheritable: "cap_inh",
  ambient: "cap_amb",
} as const satisfies Record<keyof GrantedCapabilities, keyof Creds>;

export const bundleCapabilities: Check = {
  title: "A task has capabilities that the container's bundle does not grant",
  reads: "process.capabilities and process.noNewPrivileges in config.json; creds in core-*.img",
  why:
    "CRIU gives each thread the capabilities of the images, whatever the configuration says. Fewer than the bundle's are in order, and so are those that a process of the " +
    "container can get itself: from the bounding set by execve(2), unless noNewPrivileges forbids it.",
  proof: "harm",
  run(context) {
    const { bundle } = context;
    if (bundle === undefined) return [];
    const most = reachable(bundle);
    return perThread("bundle-capabilities", context, credsOf, (thread) => {
      const creds = credsOf(thread);
      if (creds === undefined)
        return {
          subject: "credentials",
          message:
            "has no credentials in the images: nothing there keeps it to what the container's bundle grants",
        };
      const wider = (Object.keys(sets) as (keyof typeof sets)[]).flatMap((name) => {
        const more = setOf(creds[sets[name]]) & ~most[name];
        return more === 0n ? [] : [`${name}: ${numbersOf(more).map(capabilityName).join(", ")}`];
      });
      if (wider.length === 0) return undefined;
      return {
        subject: wider.join("; "),
        message: `has capabilities that the container's bundle does not grant (${wider.join("; ")})`,
      };
    });
  },
};
