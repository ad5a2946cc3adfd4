import { sysctlMissing } from "../../../src/checks/sockets/sysctl-missing.ts";
import { image } from "../../image/fixture.ts";
import { withContext } from "../context.ts";
import { host, inNamespaces } from "../kernel.ts";
import { expect, test } from "bun:test";

test("sysctl-missing: a kernel without IPv6 cannot take IPv6 settings", () => {
  const number = (iarg?: number) => (iarg === undefined ? { type: 6 } : { type: 6, iarg });
  const netns = {
    all_conf4: [number(0)],
    def_conf4: [number()],
    all_conf6: [number(1), number(1)],
    unix_conf: [number(10)],
  };
  const images = {
    ...inNamespaces({ net_ns_id: 12 }),
    "netns-12.img": image("netns-12.img", [netns]),
  };
  const files = {
    "/proc/sys/net/ipv4/conf/all/accept_local": "0",
    "/proc/sys/net/unix/max_dgram_qlen": "10",
  };
  const run = (options: string[]) =>
    withContext(images, { host: host(files), options }, (context) => [
      ...sysctlMissing.run(context),
    ]);
  expect(run([])).toMatchObject([
    {
      subject: "net/ipv6/conf/all/accept_dad net/ipv6/conf/all/accept_ra",
      criu_message:
        "sysctl: Can't open sysctl net/ipv6/conf/all/accept_dad: No such file or directory",
      remedy: { option: "--weak-sysctls", automatic: false },
    },
  ]);
  expect(run(["--weak-sysctls"])).toEqual([]);
  expect(run(["--empty-ns", "net"])).toEqual([]);
});
