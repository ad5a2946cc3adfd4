/** What an exported archive says of its container, and what of that Podman does not import. */
import { expect, test } from "bun:test";
import type { Exported } from "../../../src/checks/index.ts";
import { importConflict } from "../../../src/checks/import/import-conflict.ts";
import { importRefused } from "../../../src/checks/import/import-refused.ts";
import { exportedFrom } from "../../../src/runtime/exported.ts";
import { IPPROTO_TCP, TCP_LISTEN } from "../../../src/sys/linux.ts";
import { withContext } from "../context.ts";

const texts = (config: object, spec: object = {}) =>
  new Map([
    ["config.dump", JSON.stringify(config)],
    ["spec.dump", JSON.stringify(spec)],
  ]);
const store: Exported["store"] = { containers: [], volumes: [], hasImage: true };
const nowhere = { PATH: "/nowhere" };

test("a container in a pod, with another's namespaces, of a runtime that is not here, after a pre-checkpoint", async () => {
  const config = {
    staticDir: "/s",
    id: "a1",
    name: "web",
    pod: "p",
    Dependencies: ["b2"],
    runtime: "no-such-runtime",
    newPortMappings: [
      { host_port: 8080, protocol: "tcp" },
      { host_port: 53, protocol: "udp" },
    ],
  };
  const exported = { ...(await exportedFrom("/a.tar", texts(config), nowhere)), store };
  const listener = { state: TCP_LISTEN, sourcePort: 8080 } as never;
  const host = { inetSockets: (protocol: number) => (protocol === IPPROTO_TCP ? [listener] : []) };
  withContext({ parent: new Uint8Array() }, { exported, host }, (context) => {
    const refused = [...importRefused.run(context)].map(({ severity, subject }) => [
      severity,
      subject,
    ]);
    expect(refused).toEqual([
      ["warning", "no-such-runtime"],
      ["blocker", "Dependencies"],
      ["blocker", "pod"],
      ["blocker", "parent"],
    ]);
    expect([...importConflict.run(context)].map(({ subject }) => subject)).toEqual([
      "TCP port 8080",
    ]);
  });
});
