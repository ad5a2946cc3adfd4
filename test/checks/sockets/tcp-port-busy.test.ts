import { tcpPortBusy } from "../../../src/checks/sockets/tcp-port-busy.ts";
import { withContext } from "../context.ts";
import { host, imagesWith, tcp } from "../sockets.ts";
import { expect, test } from "bun:test";

test("ports belong to the network namespace of the tree", () => {
  const run = (root: object, options: string[] = []) =>
    withContext(imagesWith(tcp(), root), { host: host({}), options }, (context) => [
      ...tcpPortBusy.run(context),
    ]);
  expect(run({})).toMatchObject([{ severity: "blocker" }]);
  expect(run({ net_ns_id: 7 })).toEqual([]);
  expect(run({}, ["--join-ns", "net:1"])).toEqual([]);
});
