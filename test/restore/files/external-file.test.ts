import { expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blockers, report } from "../report.ts";
import { dump, killTree, openStage, start } from "../stage.ts";
import { stageCheck } from "../stage-check.ts";
import { typed } from "../typed.ts";

test("external-file: left out of the dump, and handed over as a descriptor", async () => {
  await using stage = openStage();
  const [file, log] = [join(stage.dir, "data"), join(stage.dir, "log")];
  writeFileSync(file, "what it was");
  const { pid } = await start(stage, "tree", ["/", file, log, "1"]);
  const fd = readdirSync(`/proc/${pid}/fd`).find(
    (each) => readlinkSync(`/proc/${pid}/fd/${each}`) === file,
  )!;
  const mount = Number(
    /^mnt_id:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8"))![1],
  );
  const key = `file[${mount.toString(16)}:${statSync(file).ino.toString(16)}]`;
  const images = await dump(stage, pid, ["--external", key]);

  const named = await stageCheck({ id: "external-file", stage, images, subject: key });
  expect(named.remedy.command).toContain(`--inherit-fd 'fd[9]:${key}' 9<PATH`);
  const told = await report(stage, "preflight", images, ["-d"]);
  expect((await typed(stage, told, "external-file", { fill: { PATH: file } })).exit).toBe(0);
  expect(readlinkSync(`/proc/${pid}/fd/${fd}`)).toBe(file);
  await killTree(stage, pid);
  expect(
    blockers(await report(stage, "preflight", images, ["--inherit-fd", `fd[0]:${key}`])),
  ).toEqual([]);
});
