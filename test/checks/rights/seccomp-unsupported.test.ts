import { seccompUnsupported } from "../../../src/checks/rights/seccomp-unsupported.ts";
import { run } from "../rights.ts";
import { expect, test } from "bun:test";

test('"seccomp-unsupported": a kernel that does not even count filters', () => {
  const filtered = { seccomp_mode: 2, seccomp_filter: 0 };
  const status = (text: string) => ({ "/proc/self/status": text });
  expect(run(seccompUnsupported, filtered, status("Name:\tx\n"))).toMatchObject([
    { severity: "blocker", task: 10, image: "core-11.img" },
  ]);
  expect(run(seccompUnsupported, filtered, status("Seccomp:\t0\n"))).toEqual([]);
  expect(run(seccompUnsupported, {}, status("Name:\tx\n"))).toEqual([]);
});
