import { finding, report } from "../report.ts";
import { dump, killTree, openStage, recriu, restoreBare } from "../stage.ts";
import { compile } from "../stage/compile.ts";
import { expect, test } from "bun:test";
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("file-differs: a program of another build, which CRIU lets pass; a mode is a warning", async () => {
  await using stage = openStage();
  const [data, program] = [join(stage.dir, "data"), join(stage.dir, "program")];
  writeFileSync(data, "x".repeat(5000));
  copyFileSync(compile("objects"), program);
  chmodSync(program, 0o755);
  const ready = join(stage.dir, "ready");
  const { pid } = await stage.supervisor.spawn([program, ready, "read", data]);
  while (!existsSync(ready)) await Bun.sleep(5);
  const images = await dump(stage, pid);
  expect((await recriu(stage, ["seal", images])).exit).toBe(0);
  // Another build of the same size: its build-id note says so, which CRIU would see, and nothing else differs.
  const elf = readFileSync(program);
  const note = elf.indexOf(
    Buffer.from("GNU\0", "latin1"),
    elf.indexOf(Buffer.from([4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0])),
  );
  elf[note + 4]! ^= 1;
  rmSync(program);
  writeFileSync(program, elf, { mode: 0o755 });
  const named = await report(stage, "preflight", images);
  expect(finding(named, "file-differs")).toMatchObject({ severity: "blocker", subject: program });
  expect(finding(named, "file-differs").message).toContain("its build-id is ");
  // With the comparison that CRIU can be told to make, it says nothing at all.
  expect((await restoreBare(stage, images, ["--file-validation", "filesize"])).exit).toBe(0);
  await killTree(stage, pid);

  chmodSync(data, 0o640);
  const mode = await report(stage, "preflight", images, ["--skip-file-rwx-check"]);
  expect(mode.findings.filter(({ subject }) => subject === data)).toMatchObject([
    { id: "file-differs", severity: "warning", message: `${data}: its mode is 0640 and was 0644` },
  ]);
});
