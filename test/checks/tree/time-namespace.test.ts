import { timeNamespace } from "../../../src/checks/tree/time-namespace.ts";
import { withContext } from "../context.ts";
import { host, inNamespaces } from "../kernel.ts";
import { expect, test } from "bun:test";

test("time-namespace: only where the tree had one and the kernel has none", () => {
  const run = (own: object, files: Record<string, string>) =>
    withContext(inNamespaces(own), { host: host(files) }, (context) => [
      ...timeNamespace.run(context),
    ]);
  expect(run({ time_ns_id: 15 }, {})).toMatchObject([{ severity: "blocker" }]);
  expect(run({ time_ns_id: 15 }, { "/proc/self/timens_offsets": "" })).toEqual([]);
  expect(run({}, {})).toEqual([]);
});
