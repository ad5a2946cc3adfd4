import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, report } from "../report.ts";
import { killTree, openStage, restoreBare, ownProgram } from "../stage.ts";
import { refused } from "../untrusted.ts";
import { editFile, holds } from "./untrusted.ts";
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("untrusted-read: a file that the tree's user may not read", async () => {
  await using stage = openStage();
  const secret = join(stage.dir, "secret");
  writeFileSync(secret, "secret");
  const { pid, images } = await startDumped(stage, "objects", ["read", secret]);
  chmodSync(secret, 0o600);
  editFile(images, secret, (reg) => (reg.mode = 0o100600));
  edit(images, `core-${pid}.img`, ([core]) => {
    const { creds } = core.thread_core;
    for (const id of ["uid", "euid", "suid", "fsuid"]) creds[id] = 65534;
    for (const set of ["cap_inh", "cap_prm", "cap_eff"]) creds[set] = [0, 0];
  });
  const named = await refused(stage, {
    id: "untrusted-read",
    images,
    pid,
    subject: secret,
    done: () => expect(holds(pid, secret)).toBe(true),
  });
  expect(named.message).toContain("mode 0600, owner 0:0");
});

test("untrusted-read: a mapping, and a file in a directory that the user may not enter", async () => {
  await using stage = openStage();
  chmodSync(stage.dir, 0o755);
  const inside = join(stage.dir, "closed");
  mkdirSync(inside);
  const [mapped, open] = [join(stage.dir, "mapped"), join(inside, "open")];
  for (const file of [mapped, open]) writeFileSync(file, "secret");
  const { pid, images } = await startDumped(stage, "objects", ["map", mapped, "read", open], {
    // A clone may stand where that user cannot go.
    program: ownProgram(stage, "objects"),
  });
  edit(images, `core-${pid}.img`, ([core]) => {
    const { creds } = core.thread_core;
    for (const id of ["uid", "euid", "suid", "fsuid"]) creds[id] = 65534;
    for (const set of ["cap_inh", "cap_prm", "cap_eff"]) creds[set] = [0, 0];
  });
  expect(blockers(await report(stage, "preflight", images, ["--untrusted"]))).toEqual([]);
  chmodSync(mapped, 0o600);
  editFile(images, mapped, (reg) => (reg.mode = 0o100600));
  chmodSync(inside, 0o700);
  const { findings } = await report(stage, "preflight", images, ["--untrusted"]);
  const secret = findings.filter(({ id }) => id === "untrusted-read");
  expect(secret.map(({ subject }) => subject).toSorted()).toEqual([open, mapped]);
  expect((await restoreBare(stage, images)).exit).toBe(0);
  expect(holds(pid, open)).toBe(true);
  await killTree(stage, pid);
});
