import { pluginMissing } from "../../../src/checks/criu/plugin-missing.ts";
import { openRoot } from "../../../src/host/root.ts";
import { fixture, image } from "../../image/fixture.ts";
import { withContext } from "../context.ts";
import { expect, test } from "bun:test";

test("plugin-missing: no more than a warning where CRIU may not ask", () => {
  const inventory = {
    img_version: 2,
    fdinfo_per_id: true,
    plugins_entry: { plugins: ["amdgpu_plugin"] },
  };
  const images = { ...fixture(), "inventory.img": image("inventory.img", [inventory]) };
  /** Of these directories one is there, and holds no plugin. */
  const host = { root: openRoot, exists: (path: string) => path === "/proc/sys" };
  const found = (version: string, libdir: string) =>
    withContext(images, { version, host, options: ["--libdir", libdir] }, (context) =>
      [...pluginMissing.run(context)].map(({ severity, criu_message }) => [severity, criu_message]),
    );
  const said = "Missing required plugin: amdgpu_plugin";
  expect(found("4.1", "/proc/sys")).toEqual([["blocker", said]]);
  expect(found("4.0", "/proc/sys")).toEqual([["warning", null]]); // it goes on without a word
  expect(found("4.1", "/nowhere")).toEqual([["warning", said]]);
});
