/**
 * Runtimes newer than Debian 12's, one of each: `npm run test:runtimes` has more of them, and each in more ways. Every case
 * fails alone, is refused in words, restored and verified, and recriu leaves as it came (scripts/runtimes).
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { repository } from "../built.ts";

/** runc, Podman with crun, Docker; and containerd as a node of Kubernetes, onto which the release's image installs recriu. */
const cases = ["oci runc -t", "podman crun", "docker", "node"];

test("forky's runc, Podman, Docker and containerd", async () => {
  const child = Bun.spawn([join(repository, "scripts/runtimes/run"), "forky"], {
    env: { ...process.env, CASES: cases.join(",") },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const said = await new Response(child.stdout).text();
  expect([await child.exited, said]).toEqual([
    0,
    expect.stringMatching(/^4 passed, 0 failed, 0 skipped$/m),
  ]);
}, 300_000);
