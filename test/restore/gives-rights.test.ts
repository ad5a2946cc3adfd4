/** A program with file capabilities, or set-user-id: it comes back with them by a person's word, and not otherwise. */
import { finding, report } from "./report.ts";
import { manifestOf } from "./seal.ts";
import {
  alive,
  dump,
  killTree,
  openStage,
  ownProgram,
  recriu,
  restoreBare,
  run,
  type Stage,
  start,
} from "./stage.ts";
import { typed } from "./typed.ts";
import { expect, test } from "bun:test";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** A tree whose program was given `rights` by a command, sealed with it. */
async function sealed(stage: Stage, rights: string[]) {
  const program = ownProgram(stage, "memory");
  const { pid } = await start(stage, "memory", ["plain"], { program });
  expect((await run(stage, [...rights, program])).exit).toBe(0);
  const images = await dump(stage, pid);
  expect((await recriu(stage, ["seal", "--with-files", images])).exit).toBe(0);
  return { program, pid, images, option: `--use-packed=${program}` };
}

const capabilities = async (stage: Stage, file: string) =>
  (await run(stage, ["getcap", file])).stdout.trim().split(" ").slice(1).join(" ");

for (const [what, rights, mode, caps] of [
  ["capabilities", ["setcap", "cap_net_raw,cap_kill=ep"], 0o755, "cap_kill,cap_net_raw=ep"],
  [
    "capabilities that are only inheritable",
    ["setcap", "cap_net_raw=ip cap_kill=p"],
    0o755,
    "cap_net_raw=ip cap_kill+p",
  ],
  ["set-user-id", ["chmod", "4755"], 0o4755, ""],
] as const)
  test(`${what}: gone, it waits for a word, and then is there with them; of untrusted images never`, async () => {
    await using stage = openStage();
    const { program, pid, images, option } = await sealed(stage, [...rights]);
    rmSync(program);
    const bare = await restoreBare(stage, images);
    const blocked = await report(stage, "restore", images);
    expect([bare.exit, blocked.exit, existsSync(program)]).toEqual([1, 3, false]);
    const named = finding(blocked, "file-missing");
    expect(named.remedy).toMatchObject({ kind: "human", command: option });
    expect(bare.log).toContain(named.criu_message!);
    for (const words of [["--untrusted", option], ["--untrusted"]]) {
      const { findings } = await report(stage, "preflight", images, words);
      expect(findings.find(({ id }) => id === "file-missing")!.remedy).toMatchObject({
        kind: "human",
      });
      expect(findings.find(({ id }) => id === "file-missing")!.remedy.command).not.toBe(option);
    }
    const is = async () => [
      statSync(program).mode & 0o7777,
      statSync(program).uid,
      await capabilities(stage, program),
    ];
    const planned = await report(stage, "preflight", images, [option]);
    expect(planned.findings.map(({ id }) => id)).not.toContain("file-differs");
    // By hand, as it is shown then.
    expect(
      (await run(stage, ["sh", "-c", finding(planned, "file-missing").remedy.command!])).exit,
    ).toBe(0);
    expect(await is()).toEqual([mode, 0, caps]);
    rmSync(program);
    expect((await typed(stage, blocked, "file-missing")).exit).toBe(0);
    expect(await is()).toEqual([mode, 0, caps]);
    expect(alive(pid)).toBe(true);
    await killTree(stage, pid);

    // Another in its place: kept beside, and the same word.
    writeFileSync(program, "another");
    const other = await report(stage, "restore", images, ["--isolate=auto"]);
    expect([other.exit, finding(other, "file-changed").remedy.command, other.plan.over]).toEqual([
      3,
      option,
      [],
    ]);
    expect((await report(stage, "restore", images, [option])).exit).toBe(0);
    expect([await is(), readFileSync(`${program}.before-restore`, "utf8")]).toEqual([
      [mode, 0, caps],
      "another",
    ]);
    await killTree(stage, pid);
  });

test("rights are given in no user's directory, to no file that is another's or that others may write to, and by no other attribute", async () => {
  await using stage = openStage();
  const { program, images, option } = await sealed(stage, ["setcap", "cap_net_raw=ep"]);
  const remedy = async () =>
    finding(await report(stage, "preflight", images, [option]), "file-missing").remedy;
  const above = join(stage.dir, "above");
  mkdirSync(above);
  rmSync(program);
  expect(await remedy()).toMatchObject({ kind: "repair" });
  const manifest = readFileSync(manifestOf(images), "utf8");
  const changed = async (change: (file: any) => void) => {
    const value = JSON.parse(manifest);
    change(value.files.find(({ path }: { path: string }) => path === program));
    writeFileSync(manifestOf(images), JSON.stringify(value));
    return (await remedy()).kind;
  };
  const changes: [string, (file: any) => void][] = [
    ["another's", ({ taken }) => (taken.uid = 1000)],
    [
      "capabilities of a user namespace",
      ({ taken }) =>
        (taken.xattrs["security.capability"] = Buffer.from(
          "010000030000000000000000000000000000000001000000",
          "hex",
        ).toString("base64")),
    ],
    ["a label", ({ taken }) => (taken.xattrs["security.selinux"] = "AA==")],
  ];
  for (const [what, change] of changes)
    expect([what, await changed(change)]).toEqual([what, "human"]);
  writeFileSync(manifestOf(images), manifest);
  expect((await remedy()).kind).toBe("repair");
  const shared = await sealed(stage, ["sh", "-c", 'setcap cap_net_raw=ep "$0" && chmod 775 "$0"']);
  rmSync(shared.program);
  const open = await report(stage, "preflight", shared.images, [shared.option]);
  expect(finding(open, "file-missing").remedy.kind).toBe("human");
  // Of the stage: its way is a user's.
  const dir = dirname(program);
  const { uid, gid } = statSync(dir);
  chownSync(dir, 1000, 1000);
  try {
    expect(await remedy()).toMatchObject({ kind: "human", command: null });
    // Even as that user's own.
    expect(await changed(({ taken }) => Object.assign(taken, { uid: 1000, gid: 1000 }))).toBe(
      "human",
    );
  } finally {
    chownSync(dir, uid, gid);
  }
});
