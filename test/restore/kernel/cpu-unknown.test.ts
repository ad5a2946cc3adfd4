import { startDumped } from "../stage/dumped.ts";
import { finding, type Report } from "../report.ts";
import { criu, openStage, recriu, run, type Stage } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

async function archiveOf(stage: Stage, name: string, images: string): Promise<string> {
  const file = join(stage.dir, name);
  const words = ["-C", stage.dir, "config.dump", "spec.dump", "checkpoint"];
  expect((await run(stage, ["tar", "-cf", file, ...words])).exit).toBe(0);
  expect(images).toBe(join(stage.dir, "checkpoint"));
  return file;
}

test("cpu-unknown: an archive says nothing of the processor, until CRIU or a seal does", async () => {
  await using stage = openStage();
  const { images: dumped } = await startDumped(stage, "kernel", ["threads"]);
  const images = join(stage.dir, "checkpoint");
  renameSync(dumped, images);
  writeFileSync(join(stage.dir, "config.dump"), JSON.stringify({ id: "a", staticDir: "/s" }));
  writeFileSync(join(stage.dir, "spec.dump"), "{}");
  const preflight = async (archive: string) =>
    JSON.parse((await recriu(stage, ["preflight", archive, "--json"])).stdout) as Report;
  const ofProcessor = ({ findings }: Report) =>
    findings.filter(({ id }) => id.startsWith("cpu-")).map(({ id }) => id);

  const archive = await archiveOf(stage, "plain.tar", images);
  const told = await preflight(archive);
  expect(ofProcessor(told)).toEqual(["cpu-unknown"]);
  expect(finding(told, "cpu-unknown")).toMatchObject({ severity: "info", subject: archive });
  const shown = await typed(stage, told, "cpu-unknown");
  expect([shown.exit, shown.stdout]).toEqual([0, expect.stringMatching(/^(flags|Features)\t/)]);

  expect((await recriu(stage, ["seal", archive])).exit).toBe(0);
  expect(ofProcessor(await preflight(archive))).toEqual([]);

  // CRIU saves no processor of arm64.
  if (process.arch !== "x64") return;
  expect((await run(stage, [criu, "cpuinfo", "dump", "-D", images])).exit).toBe(0);
  expect(ofProcessor(await preflight(await archiveOf(stage, "with.tar", images)))).toEqual([]);
});
