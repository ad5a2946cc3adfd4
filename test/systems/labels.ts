/** AppArmor: a task's profile comes back with it; where the profile is not loaded any more, that is told beforehand. */
import { blockers, report } from "../restore/report.ts";
import {
  dump,
  killTree,
  openStage,
  restoreBare,
  run,
  type Stage,
  waitFor,
} from "../restore/stage.ts";
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const label = (pid: number) => readFileSync(`/proc/${pid}/attr/current`, "utf8").trim();

async function confined(stage: Stage, mode: "complain" | "enforce") {
  const profile = join(stage.dir, "profile");
  const rules = "file, unix, signal, ptrace, capability, network,";
  writeFileSync(profile, `profile recriu-${mode} flags=(${mode}) { ${rules} }\n`);
  const parser = (word: string) => run(stage, ["apparmor_parser", word, "--skip-cache", profile]);
  expect(await parser("--replace")).toMatchObject({ exit: 0 });
  const enter = `echo exec recriu-${mode} >/proc/self/attr/exec; exec sleep 1000`;
  const { pid } = await stage.supervisor.spawn(["sh", "-c", enter], { cwd: "/" });
  await waitFor("the profile", () => label(pid) === `recriu-${mode} (${mode})`);
  return { pid, images: await dump(stage, pid), remove: () => parser("--remove") };
}

for (const mode of ["complain", "enforce"] as const)
  test(`a profile in mode ${mode} comes back; without the profile the restore is refused beforehand`, async () => {
    await using stage = openStage();
    const { pid, images, remove } = await confined(stage, mode);
    const done = await report(stage, "restore", images);
    expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
    expect(label(pid)).toBe(`recriu-${mode} (${mode})`);
    await killTree(stage, pid);
    expect((await remove()).exit).toBe(0);
    const told = await report(stage, "preflight", images);
    const bare = await restoreBare(stage, images);
    expect(blockers(told)).toEqual(["apparmor-profile-missing"]);
    expect([bare.exit, bare.errors.join("\n")]).toEqual([1, expect.stringContaining("profile")]);
  });
