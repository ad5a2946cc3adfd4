/** Of what images can have any number of, so many are told, and of the others their number: nothing is lost without a word. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { image } from "../image/fixture.ts";
import { checkpoint, file, times } from "./bulk.ts";
import { type Report } from "./report.ts";
import { close, openStage, recriu, type Stage } from "./stage.ts";

const O_WRONLY = 1;
const MANY = 6000;
const AGAIN = 500;
let stage: Stage;
let dir: string;
beforeAll(() => {
  stage = openStage();
  // The last ones are open twice: a path that is named again is none more.
  const files = times(MANY + AGAIN, (at) => {
    const { name } = file(at < MANY ? at : at - AGAIN).reg;
    return { ...file(at), reg: { ...file(at).reg, name, flags: at ? O_WRONLY : 0 } };
  });
  const fds = files.map(({ id }, fd) => ({ id, flags: 0, type: 1, fd }));
  ({ dir } = checkpoint(stage.dir, "many", {
    "files.img": image("files.img", files),
    "fdinfo-2.img": image("fdinfo-2.img", fds),
  }));
});
afterAll(() => close(stage));

test("findings: a hundred to a person, a thousand to a program", async () => {
  const words = ["preflight", "-v", "--only=file-missing", "-D", dir];
  const { stderr } = await recriu(stage, words);
  expect(stderr.match(/^blocker\[file-missing\]: /gm)?.length).toBe(101);
  const more = Number(/^blocker\[file-missing\]: (\d+) more$/m.exec(stderr)![1]);
  expect(more).toBe(MANY - 1 - 100);
  const report = JSON.parse((await recriu(stage, [...words, "--json"])).stdout) as Report;
  expect(report).toMatchObject({ findings_total: MANY - 1 });
  expect(report.findings.length).toBe(1000);
});

test("effects: of one kind five thousand, each once; what refuses them counts all", async () => {
  const words = ["preflight", "--effects", "--untrusted", "--only=untrusted-write", "-D", dir];
  const { stdout, stderr } = await recriu(stage, words);
  expect(stdout).toContain(`\nwrite (${MANY - 1 + 2})\n`);
  expect(stdout).toContain(`\n  and ${MANY - 1 + 2 - 100} more; --json lists the first of them\n`);
  expect(stderr).toContain(`and ${MANY - 1 - 50} more of these; --effects lists them`);
  const { effects, effects_total } = JSON.parse(
    (await recriu(stage, [...words, "--json"])).stdout,
  ) as { effects: { check: string | null; more?: number }[]; effects_total: number };
  const writes = effects.filter(({ check }) => check === "untrusted-write");
  expect(writes.length).toBe(5000);
  expect(effects_total - effects.length).toBe(MANY - 1 - 5000);
  expect(effects.some((one) => "more" in one)).toBe(false);
});
