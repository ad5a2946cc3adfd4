/** How a check is proven on real CRIU: recriu names the fault, bare CRIU fails as quoted, and mended the images restore. */
import { expect } from "bun:test";
import { blockers, explained, type Finding, report, sameWords } from "./report.ts";
import { killTree, type RunOptions, type Stage } from "./stage.ts";
import { typed } from "./typed.ts";
import { bareUnder, reportUnder, type Under } from "./under.ts";

/** What recriu and CRIU are asked with. */
export interface Asked extends RunOptions {
  options?: string[];
  /** A command that both are run under. */
  under?: Under;
}

export interface StagedCheck extends Asked {
  id: string;
  stage: Stage;
  images: string;
  /** Brings the fault about, where it is not there yet. */
  fault?: () => unknown;
  /** What the finding is about; not looked at where it is left out. */
  subject?: string;
  /** Others may block the same images. */
  among?: true;
  /** Exit code of the preflight, where it is not 3 (blocked), 4 (repairs would do) or of what is edited 0; 6: the images are not whole. */
  exit?: number;
  /**
   * Takes the fault away: by hand, by the finding's command, typed as it is shown, or by these options; or nothing does, and
   * recriu restores it for what it shows CRIU instead ("edited"). Then the images are restored, and the tree is killed.
   * test/checks/remedies.test.ts reads this and the id.
   */
  mend?: (() => unknown) | "typed" | "edited" | string[];
  /** The root task of the images, where `mend` restores them. */
  pid?: number;
}

/** The finding, after it was seen with what CRIU says, and the mended tree, where there is a `mend`. */
export async function stageCheck(check: StagedCheck): Promise<Finding> {
  const { id, stage, images, fault, subject, among, exit, mend, pid: _, ...asked } = check;
  await fault?.();
  const told = await ask(stage, "preflight", images, asked);
  const blocking = [...new Set(blockers(told))];
  expect(among ? blocking.filter((each) => each === id) : blocking).toEqual([id]);
  const answers = mend === "edited" ? [0] : [3, 4];
  expect(exit === undefined ? answers : [exit]).toContain(told.exit!);
  const named = told.findings.find(
    (each) => each.id === id && (subject === undefined || each.subject === subject),
  );
  if (named === undefined)
    throw new Error(`no finding ${id} is about ${subject}: ${JSON.stringify(told.findings)}`);

  const { options = [], under = [], ...how } = asked;
  const bare = await bareUnder(stage, under, images, ["-d", ...options], how);
  expect(bare.exit).toBe(1);
  const { criu_message } = named;
  const said = `${bare.log}\n${bare.stdout}\n${bare.stderr}`.split("\n");
  if (criu_message !== null && !said.some((line) => sameWords(line, criu_message)))
    throw new Error(`CRIU did not say: ${criu_message}\n${said.filter(isError).join("\n")}`);
  explained(named);
  if (mend !== undefined) await mended(stage, check, named, asked);
  return named;
}

const isError = (line: string) => /\bError \(/.test(line);

async function mended(
  stage: Stage,
  { id, images, mend, pid }: StagedCheck,
  { subject, remedy }: Finding,
  asked: Asked,
): Promise<void> {
  if (mend === "typed") {
    // CRIU has tried meanwhile.
    const told = await ask(stage, "preflight", images, asked);
    expect(await typed(stage, told, id, { ...asked, subject })).toMatchObject({ exit: 0 });
  } else if (typeof mend === "function") await mend();
  if (mend === "edited") {
    expect(remedy.kind).toBe("edit");
    // Without its edit it is what it was.
    const none = { ...asked, options: [...(asked.options ?? []), "--fix=none"] };
    expect((await ask(stage, "preflight", images, none)).exit).toBe(3);
    const done = await ask(stage, "restore", images, asked);
    expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
    return await killTree(stage, pid ?? done.run!.pid!);
  }
  const isRestored = mend === "typed" && remedy.kind === "option"; // the command of one is a restore itself
  const more = Array.isArray(mend) ? mend : [];
  const root = isRestored
    ? pid
    : await restored(stage, images, { ...asked, options: [...(asked.options ?? []), ...more] });
  await killTree(stage, pid ?? root!);
}

/** Nothing blocks, and recriu and so CRIU restore it: the new root task. */
export async function restored(stage: Stage, images: string, asked: Asked = {}): Promise<number> {
  const done = await ask(stage, "restore", images, asked);
  expect(blockers(done)).toEqual([]);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  return done.run!.pid!;
}

/** With nothing against it the images restore: no finding, and the tree is verified. */
export async function restores(stage: Stage, images: string, asked: Asked = {}): Promise<void> {
  const done = await ask(stage, "restore", images, asked);
  expect(done).toMatchObject({ exit: 0, findings: [], verdict: { result: "match" } });
}

function ask(
  stage: Stage,
  command: "preflight" | "restore",
  images: string,
  { options = [], under, ...how }: Asked,
) {
  if (under === undefined) return report(stage, command, images, options, how);
  const detached = command === "restore" ? ["-d"] : [];
  return reportUnder(stage, under, command, images, [...detached, ...options]);
}
