import { namespaceLimit } from "../../../src/checks/tree/namespace-limit.ts";
import { type Faked, withContext } from "../context.ts";
import { host, inNamespaces } from "../kernel.ts";
import { expect, test } from "bun:test";

test("namespace-limit: 0 of a kind that the tree needs", () => {
  const images = inNamespaces({ net_ns_id: 12, user_ns_id: 17 });
  const files = {
    "/proc/sys/user/max_net_namespaces": "0\n",
    "/proc/sys/user/max_user_namespaces": "4096\n",
    "/proc/sys/user/max_ipc_namespaces": "0\n",
  };
  withContext(images, { host: host(files) }, (context) => {
    expect([...namespaceLimit.run(context)]).toMatchObject([
      {
        severity: "blocker",
        subject: "/proc/sys/user/max_net_namespaces",
        remedy: { command: "sysctl -w user.max_net_namespaces=1024" },
      },
    ]);
  });
  const joined = { host: host(files), options: ["--join-ns", "net:/run/netns/other"] };
  expect(withContext(images, joined, (context) => [...namespaceLimit.run(context)])).toEqual([]);
});

test("namespace-limit: every dumped tree gets a time namespace for its clocks", () => {
  const images = { ...inNamespaces({}), "timens-0.img": new Uint8Array(8) };
  const files = {
    "/proc/self/timens_offsets": "",
    "/proc/sys/user/max_time_namespaces": "0",
  };
  const run = (faked: Faked) =>
    withContext(images, faked, (context) => [...namespaceLimit.run(context)]);
  expect(run({ host: host(files) })).toMatchObject([
    { subject: "/proc/sys/user/max_time_namespaces" },
  ]);
  expect(run({ host: host(files), options: ["--unprivileged"] })).toEqual([]);
  expect(run({ host: host({ ...files, "/proc/self/timens_offsets": undefined }) })).toEqual([]);
});
