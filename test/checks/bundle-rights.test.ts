/** What the threads of images may do and a bundle grants: cases that no container of this machine is in. */
import { bundleCapabilities } from "../../src/checks/bundle/bundle-capabilities.ts";
import { bundleLabel } from "../../src/checks/bundle/bundle-label.ts";
import { bundleNamespace } from "../../src/checks/bundle/bundle-namespace.ts";
import { bundleNoNewPrivs } from "../../src/checks/bundle/bundle-no-new-privs.ts";
import { bundleRoot } from "../../src/checks/bundle/bundle-root.ts";
import { bundleSeccomp } from "../../src/checks/bundle/bundle-seccomp.ts";
import { bundleUsers } from "../../src/checks/bundle/bundle-users.ts";
import { creds, run, withThread } from "./bundle.ts";
import { expect, test } from "bun:test";

test("no bundle, no finding", () => {
  for (const [at, check] of [
    bundleNamespace,
    bundleUsers,
    bundleRoot,
    bundleCapabilities,
    bundleNoNewPrivs,
    bundleSeccomp,
    bundleLabel,
  ].entries())
    expect([at, run(check, withThread({ creds }), undefined)]).toEqual([at, []]);
});
