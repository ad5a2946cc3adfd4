import { effectsOf } from "../../../src/checks/effects/index.ts";
import { catalogue } from "../../../src/checks/index.ts";
import { fixture, image } from "../../image/fixture.ts";
import { withContext } from "../context.ts";
import { files, host, mounted, noOne, refused } from "./untrusted.ts";
import { expect, test } from "bun:test";

test("untrusted-write: a deleted file's name leads out of the mounts of the tree's own", () => {
  const name = "/../../../etc/cron.d/evil";
  const reg = { id: 3, flags: 2, pos: 0n, fown: noOne, name, mnt_id: 1, mode: 0o100644 };
  const images = {
    ...mounted(),
    ...files({ type: 1, id: 3, reg }),
    "remap-fpath.img": image("remap-fpath.img", [{ orig_id: 3, remap_id: 1, remap_type: 1 }]),
    "ghost-file-1.img": image("ghost-file-1.img", [{ uid: 0, gid: 0, mode: 0o100644 }]),
  };
  expect(refused(images)).toContainEqual(["untrusted-write", "/etc/cron.d/evil.cr.1.ghost"]);
});

test("every check speaks only when it was asked, and of a great number only so often", () => {
  const many = Array.from({ length: 300 }, (_, at) => {
    const reg = { id: at + 3, flags: 2, pos: 0n, fown: noOne, name: `/etc/${at}`, mode: 0o100644 };
    return { type: 1, id: at + 3, reg };
  });
  const fdinfo = many.map(({ id }) => ({ id, flags: 0, type: 1, fd: id }));
  const images = { ...fixture(), ...files(...many), "fdinfo-2.img": image("fdinfo-2.img", fdinfo) };
  expect(refused(images)).toHaveLength(51);
  withContext(images, { host }, (context) => {
    const effects = effectsOf(context);
    expect(effects.filter(({ check }) => check === "untrusted-write")).toHaveLength(300);
    for (const check of catalogue)
      if (check.id.startsWith("untrusted-")) expect(check.run({ ...context, effects })).toEqual([]);
  });
});
