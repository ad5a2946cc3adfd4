import { image } from "../../image/fixture.ts";
import { mounted, refused } from "./untrusted.ts";
import { expect, test } from "bun:test";

test("untrusted-kernel: profiles and binary formats", () => {
  const apparmor = {
    namespaces: [
      { name: "root", policies: [{ name: "p", blob: new Uint8Array(9) }], namespaces: [] },
    ],
  };
  expect(refused({ "apparmor.img": image("apparmor.img", [apparmor]) })).toEqual([
    ["untrusted-kernel", "root//p"],
  ]);
  const format = { name: "x", enabled: true, interpreter: "/tmp/evil", flags: "CF" };
  const own = mounted({ fstype: 4, mountpoint: "./binfmt" });
  expect(refused({ ...own, "binfmt-misc.img": image("binfmt-misc.img", [format]) })).toEqual([
    ["untrusted-kernel", "/tmp/evil"],
    ["untrusted-mount", "/binfmt"],
  ]);
});
