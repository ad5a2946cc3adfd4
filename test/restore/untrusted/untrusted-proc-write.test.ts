import { startDumped } from "../stage/dumped.ts";
import { blockers, report } from "../report.ts";
import { openStage } from "../stage.ts";
import { refused } from "../untrusted.ts";
import { editFile, holds } from "./untrusted.ts";
import { expect, test } from "bun:test";

test("untrusted-proc-write: a switch of the kernel's", async () => {
  await using stage = openStage();
  const pattern = "/proc/sys/kernel/core_pattern";
  const { pid, images } = await startDumped(stage, "objects", ["read", pattern]);
  editFile(images, pattern, (reg) => (reg.flags |= 2));
  await refused(stage, {
    id: "untrusted-proc-write",
    images,
    pid,
    subject: pattern,
    done: () => expect(holds(pid, pattern)).toBe(true),
  });
  const open = await report(stage, "preflight", images, ["--untrusted", "--allow-write=/proc"]);
  expect(blockers(open)).toEqual(["untrusted-proc-write"]);
});
