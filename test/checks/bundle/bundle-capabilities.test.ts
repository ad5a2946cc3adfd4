import { bundleCapabilities } from "../../../src/checks/bundle/bundle-capabilities.ts";
import { creds, run, spec, withThread } from "../bundle.ts";
import { expect, test } from "bun:test";

const NET_RAW = 1 << 13;

const KILL = 1 << 5;

test("bundle-capabilities: what a process can get itself is in order, unless it may gain nothing", () => {
  const bounding = { bounding: ["CAP_NET_RAW", "CAP_KILL"], permitted: ["CAP_KILL"] };
  const raw = withThread({
    creds: { ...creds, cap_bnd: [NET_RAW, 0], cap_prm: [NET_RAW, 0], cap_eff: [NET_RAW, 0] },
  });
  expect(run(bundleCapabilities, raw, spec({ capabilities: bounding }))).toEqual([]);
  expect(
    run(bundleCapabilities, raw, spec({ capabilities: bounding, noNewPrivileges: true })),
  ).toEqual(["permitted: cap_net_raw; effective: cap_net_raw"]);
  // Fewer than granted; sets that the bundle does not name are empty.
  const none = withThread({ creds });
  expect(run(bundleCapabilities, none, spec({ capabilities: bounding }))).toEqual([]);
  expect(run(bundleCapabilities, none, spec({}))).toEqual([]);
  expect(run(bundleCapabilities, raw, spec({}))).toEqual([
    "bounding: cap_net_raw; permitted: cap_net_raw; effective: cap_net_raw",
  ]);
  const ambient = withThread({ creds: { ...creds, cap_amb: [KILL, 0], cap_inh: [0, 1 << 7] } });
  expect(run(bundleCapabilities, ambient, spec({ capabilities: { bounding: [] } }))).toEqual([
    "inheritable: cap_bpf; ambient: cap_kill",
  ]);
});

test("bundle-capabilities: a thread whose credentials are not there is no thread without any", () => {
  expect(run(bundleCapabilities, withThread({}), spec({}))).toEqual(["credentials"]);
});
