/** What is one finding, and what is not. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "../../src/checks/index.ts";
import { countOf, Gathered } from "../../src/checks/grouped.ts";
import { planFor } from "../../src/plan/index.ts";

function grouped(findings: readonly Finding[]): Finding[] {
  const gathered = new Gathered();
  for (const finding of findings) gathered.add(finding);
  return gathered.findings;
}

const base: Finding = {
  isolate: null,
  apart: null,
  over: null,
  id: "cwd-missing",
  severity: "blocker",
  task: 7,
  image: "files.img id 0x1",
  subject: "/gone",
  message: "/gone (working directory of task 7): No such file or directory",
  criu_message: "Can't open file gone on restore: No such file or directory",
  remedy: { kind: "human", text: "put it back", command: null },
};
const of = (task: number, other: Partial<Finding> = {}): Finding => ({
  ...base,
  task,
  message: base.message.replace("7", `${task}`),
  ...other,
});

test("the same for several tasks is one finding that lists them", () => {
  expect(grouped([of(7), of(8), of(9), of(8)])).toEqual([
    {
      ...base,
      tasks: [7, 8, 9],
      message: "/gone (working directory of task 7 and 2 more): No such file or directory",
    },
  ]);
  expect(grouped([of(7)])).toEqual([of(7)]);
});

test("what tells two causes apart keeps them apart", () => {
  const other = { kind: "human", text: "another remedy", command: null } as const;
  const apart = [
    of(7),
    of(8, { subject: "/other" }),
    of(9, { severity: "warning" }),
    of(10, { remedy: other }),
    of(11, { id: "file-missing" }),
    of(12, { criu_message: null, message: "one" }),
    of(13, { criu_message: null, message: "another" }),
  ];
  expect(grouped(apart)).toEqual(apart);
  // What is about no task is told as it was found: two forged values are two.
  const forged = { ...base, task: null, criu_message: null };
  expect(grouped([forged, { ...forged }])).toEqual([forged, forged]);
});

test("threads of a kind are one, with the edits of each", () => {
  const thread = (tid: number): Finding => ({
    ...of(7),
    subject: `thread ${tid}`,
    message: `thread ${tid} ran under SCHED_FIFO`,
    remedy: {
      kind: "edit",
      text: "edit",
      command: null,
      edits: [{ file: `core-${tid}.img`, entry: 0, field: "f", from: 1, to: 0, why: "why" }],
    },
  });
  const [one, ...none] = grouped([thread(7), thread(8)]);
  expect(none).toEqual([]);
  expect(one).toMatchObject({
    subject: "thread 7 and 1 more",
    message: "thread 7 and 1 more ran under SCHED_FIFO",
    tasks: [7],
    remedy: { edits: [{ file: "core-7.img" }, { file: "core-8.img" }] },
  });
});

const said = (message: string, subject: string, tasks = [7, 8]) =>
  grouped(tasks.map((task) => of(task, { message, subject }))).map((finding) => finding.message);

test("of several it is said what they do, not what one does; of what one of them has it stays", () => {
  expect(said("task 7 has one mapping of 9 GiB", "task 7")).toEqual([
    "task 7 has one mapping of 9 GiB",
  ]);
  const two = (verb: string) =>
    [7, 8].map((task) => of(task, { subject: `task ${task}`, message: `task ${task} ${verb} x` }));
  const [has] = grouped(two("has"));
  expect(has!.message).toBe("task 7 and 1 more have x");
  expect(said("a ring of task 7 has 3 bytes", "/x")).toEqual([
    "a ring of task 7 and 1 more has 3 bytes",
  ]);
  expect(said("/p, which task 7 watches, is gone", "/p")).toEqual([
    "/p, which task 7 and 1 more watch, is gone",
  ]);
  expect(said("task 77 is not task 7", "/p")).toEqual(["task 77 is not task 7 and 1 more"]);
});

test("every verb that a check puts behind a task or a thread is known of several, too", () => {
  const src = join(import.meta.dir, "../../src/checks");
  const words = (readdirSync(src, { recursive: true }) as string[])
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => [
      ...readFileSync(join(src, file), "utf8").matchAll(
        /(\b(?:by|for|from|in|of|than|to) )?\b(?:task|thread) \$\{[^}]*\} (?!as )([a-z]+)/g,
      ),
    ])
    .filter(([, before]) => before === undefined)
    .map(([, , word]) => word!);
  expect(words.length).toBeGreaterThan(20);
  const both = (verb: string) =>
    grouped(
      [7, 8].map((task) =>
        of(task, { subject: `task ${task}`, message: `task ${task} ${verb} x` }),
      ),
    );
  for (const word of new Set(words))
    expect(both(word).map(({ message }) => message)).toEqual([
      expect.stringMatching(/^task 7 and 1 more (?!\w+s )\w+ x$/),
    ]);
});

test("of one kind a thousand are kept and the others counted, each cause once", () => {
  const gone = (task: number, at: number) => of(task, { subject: `/gone/${at}` });
  const causes = Array.from({ length: 1500 }, (_, at) => at);
  const told = grouped([...causes.map((at) => gone(7, at)), ...causes.map((at) => gone(8, at))]);
  expect([told.length, countOf(told), told.at(-1)!.more]).toEqual([1000, 1500, 500]);
  expect(told.every(({ tasks }) => tasks?.length === 2)).toBe(true);
  const lowered = causes.map((at) => of(7, { subject: `/gone/${at}`, severity: "warning" }));
  const both = grouped([...causes.map((at) => gone(7, at)), ...lowered]);
  const blockers = both.filter(({ severity }) => severity === "blocker");
  expect([countOf(blockers), countOf(both)]).toEqual([1500, 3000]);
});

test("a repair that is not kept is a person's to make, and still blocks", () => {
  const make = (at: number): Finding => {
    const repair = {
      action: "mkdir",
      root: "/",
      path: `/x${at}`,
      mode: 0,
      uid: 0,
      gid: 0,
    } as const;
    const remedy = {
      kind: "repair",
      text: "make it",
      command: "mkdir /x" as never,
      repair,
    } as const;
    return { ...base, task: null, subject: `/x${at}`, remedy };
  };
  const told = grouped(Array.from({ length: 12_000 }, (_, at) => make(at)));
  const { repairs, unanswered, outcome } = planFor(told, [], "safe");
  expect([repairs.length, countOf(unanswered), outcome]).toEqual([10_000, 2000, "blocked"]);
});
