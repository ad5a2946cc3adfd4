import { bundleNamespace } from "../../../src/checks/bundle/bundle-namespace.ts";
import { creds, run, spec, withThread } from "../bundle.ts";
import { expect, test } from "bun:test";

test("bundle-namespace: each kind, and one that is this machine's by the bundle too", () => {
  const shared = withThread({ creds });
  /** The namespaces of recriu, and other paths to them. */
  const identity = (path: string) => /^\/proc\/self\/ns\/\w+$/.exec(path)?.[0];
  const asks = (...namespaces: object[]) =>
    run(bundleNamespace, shared, spec({}, { namespaces }), [], { host: { identity } });
  expect(asks({ type: "mount" }, { type: "network" }, { type: "user" }, { type: "time" })).toEqual([
    "mnt",
    "net",
    "user",
  ]);
  expect(asks({ type: "network", path: "/proc/self/ns/net" })).toEqual([]);
  expect(asks({ type: "network", path: "/proc/self/ns/ipc" })).toEqual(["net"]);
  expect(asks({ type: "network", path: "/nowhere" })).toEqual(["net"]);
});
