/** Binary formats of a user namespace of the tree's own, which CRIU saves since 4.3 on Linux 6.7 and later. */
import { forky, newest } from "./criu.ts";
import { dumpInUser } from "./namespaces.ts";
import { report } from "./report.ts";
import { scriptAt } from "./shadow.ts";
import { killTree, openStage } from "./stage.ts";
import { expect, test } from "bun:test";

test("formats that the tree's user namespace has registered come back, and another one is another tree", async () => {
  await using stage = openStage();
  const at = "/proc/sys/fs/binfmt_misc";
  const register = (init: number, text: string) => [
    "sh",
    "-c",
    `echo '${text}' > /proc/${init}/root${at}/register`,
  ];
  const { images, options } = await dumpInUser(
    stage,
    (init) => register(init, ":recriutest:E::rcxt::/bin/true:"),
    { mounts: ["binfmt_misc", "none", at], by: newest },
  );
  const by = [...options, "--criu", newest];
  const done = await report(stage, "restore", images, by);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match", differences: [] } });
  await killTree(stage, done.run!.pid!);
  const off = `echo 0 > /proc/$CRTOOLS_INIT_PID/root${at}/recriutest`;
  const script = ["--action-script", scriptAt(stage, "pre-resume", off)];
  const other = await report(stage, "restore", images, [...by, ...script]);
  expect(other).toMatchObject({ exit: 5, verdict: { result: "mismatch" } });
  expect(other.verdict!.differences).toMatchObject([
    { facet: "binary formats", found: expect.stringContaining("disabled, interpreter /bin/true") },
  ]);

  // An older CRIU leaves them out, which is told before.
  const older = await report(stage, "restore", images, [...options, "--criu", forky]);
  expect(older).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(older.findings).toMatchObject([
    { id: "image-newer", severity: "warning", subject: "binfmt_misc" },
  ]);
  expect(older.verdict!.differences).toMatchObject([{ class: "tolerated", found: "nothing" }]);
});
