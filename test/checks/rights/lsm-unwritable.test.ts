/** No kernel here has AppArmor. */
import { lsmUnwritable } from "../../../src/checks/rights/lsm-unwritable.ts";
import { apparmor as inventory, confined, run } from "../rights.ts";
import { expect, test } from "bun:test";

test("lsm-unwritable: another module before AppArmor, and a restorer that is confined itself", () => {
  const found = (lsm: string, own?: string) =>
    run(
      lsmUnwritable,
      confined,
      {
        "/sys/kernel/security/apparmor/profiles": "docker-default (enforce)\n",
        "/sys/kernel/security/lsm": lsm,
        ...(own !== undefined && { "/proc/self/attr/apparmor/current": own }),
      },
      { inventory },
    ).map(({ severity, criu_message }) => [severity, criu_message]);
  expect(found("lockdown,capability,landlock,yama,apparmor,bpf", "unconfined\n")).toEqual([]);
  expect(found("capability,bpf,apparmor")).toEqual([["warning", "can't write lsm profile -22"]]);
  expect(found("capability,apparmor", "docker-default (enforce)\n")).toEqual([
    ["warning", "can't write lsm profile -13"],
  ]);
  expect(found("selinux,apparmor", "a (complain)\n")).toHaveLength(2);
});
