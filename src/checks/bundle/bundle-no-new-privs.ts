import type { Check } from "../finding.ts";
import { credsOf, perThread } from "./bundle-rights.ts";

export const bundleNoNewPrivs: Check = {
  title: "A task may gain privileges, which the container's bundle forbids",
  reads: "process.noNewPrivileges in config.json; no_new_privs of creds in core-*.img",
  why:
    "With noNewPrivileges no set-user-ID program gives a process of the container anything, and none of them can take that back. CRIU sets it for the threads for which the " +
    "images have it, whatever the configuration says.",
  proof: "harm",
  run(context) {
    if (context.bundle?.noNewPrivileges !== true) return [];
    return perThread("bundle-no-new-privs", context, credsOf, (thread) =>
      credsOf(thread)?.no_new_privs
        ? undefined
        : {
            subject: "no_new_privs",
            message: "would not have no_new_privs, which the container's bundle asks for",
          },
    );
  },
};
