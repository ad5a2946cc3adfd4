/** Where the tree of images lives and a bundle has it, and bundles that are none. */
import { bundleOf } from "../../src/runtime/bundle.ts";
import { expect, test } from "bun:test";

test("a configuration of the images' own maker: nothing of another type gets in", () => {
  const odd = [5, "text", null, [], {}, [5], [null], { path: 5 }];
  for (const value of odd) {
    const config = {
      root: { path: "rootfs", readonly: value },
      mounts: value,
      process: { capabilities: value, noNewPrivileges: value, apparmorProfile: value },
      linux: { namespaces: value, seccomp: value, uidMappings: value },
    };
    for (const text of [
      { ...config },
      { ...config, process: value, linux: value },
      { root: value },
      value,
    ])
      expect(() => bundleOf(JSON.stringify(text), "/b")).not.toThrow();
    expect(bundleOf(JSON.stringify(config), "/b")).toMatchObject({
      binds: [],
      grants: { noNewPrivileges: false, readonlyRoot: false, users: undefined },
    });
  }
});
