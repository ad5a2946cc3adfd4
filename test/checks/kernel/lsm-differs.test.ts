import { expect, test } from "bun:test";
import { lsmDiffers } from "../../../src/checks/kernel/lsm-differs.ts";
import { fixture } from "../../image/fixture.ts";
import { sealedWith, withContext } from "../context.ts";

test("lsm-differs: a module that decides and was not there; what cannot be told is not compared", () => {
  const found = (lsm: string[] | undefined, here: string | undefined) => {
    const host = { read: () => here };
    const seal = sealedWith({
      host: { page_size: 4096, limits: {}, gpus: [], ...(lsm && { lsm }) },
    });
    return withContext(fixture(), { host, seal }, (context) =>
      [...lsmDiffers.run(context)].map(({ severity, subject }) => `${severity} ${subject}`),
    );
  };
  const debian = ["capability", "landlock", "apparmor"];
  expect(found(debian, "capability,landlock,selinux,bpf\n")).toEqual(["warning selinux"]);
  expect(found(["capability"], "capability,smack,apparmor")).toEqual(["warning smack apparmor"]);
  expect(found(debian, "capability,apparmor,yama")).toEqual([]);
  expect(found(debian, "capability")).toEqual([]);
  expect(found(undefined, "selinux")).toEqual([]);
  expect(found(debian, undefined)).toEqual([]);
});
