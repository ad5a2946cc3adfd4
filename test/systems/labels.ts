/** AppArmor: a task's profile comes back with it; where the profile is not loaded any more, that is told beforehand. */
import { report } from "../restore/report.ts";
import { stageCheck } from "../restore/stage-check.ts";
import { dump, killTree, openStage, run, type Stage, waitFor } from "../restore/stage.ts";
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const label = (pid: number) => readFileSync(`/proc/${pid}/attr/current`, "utf8").trim();

async function confined(stage: Stage, mode: "complain" | "enforce") {
  const name = `recriu-${mode}`;
  const profile = `/etc/apparmor.d/${name}`;
  const rules = "file, unix, signal, ptrace, capability, network,";
  mkdirSync("/etc/apparmor.d", { recursive: true });
  writeFileSync(profile, `profile ${name} flags=(${mode}) { ${rules} }\n`);
  const parser = (word: string) => run(stage, ["apparmor_parser", word, "--skip-cache", profile]);
  expect(await parser("--replace")).toMatchObject({ exit: 0 });
  const enter = `echo exec ${name} >/proc/self/attr/exec; exec sleep 1000`;
  const { pid } = await stage.supervisor.spawn(["sh", "-c", enter], { cwd: "/" });
  await waitFor("the profile", () => label(pid) === `${name} (${mode})`);
  const images = await dump(stage, pid);
  const remove = async () => expect(await parser("--remove")).toMatchObject({ exit: 0 });
  return { pid, name, profile, images, remove };
}

for (const mode of ["complain", "enforce"] as const)
  test(`a profile in mode ${mode} comes back; without the profile the restore is refused beforehand`, async () => {
    await using stage = openStage();
    const { pid, name, profile, images, remove } = await confined(stage, mode);
    const done = await report(stage, "restore", images);
    expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
    expect(label(pid)).toBe(`${name} (${mode})`);
    await killTree(stage, pid);
    await stageCheck({
      id: "apparmor-profile-missing",
      stage,
      images,
      fault: remove,
      subject: name,
      mend: "typed",
    });
    await remove();
    rmSync(profile);
  });
