/** Of thousands of descriptors on one file one is judged for all that are saved and used alike, and never for another. */
import { expect, test } from "bun:test";
import { judged } from "../../../src/checks/files/used-files.ts";
import type { Problem } from "../../../src/checks/finding.ts";
import { fixture, image } from "../../image/fixture.ts";
import { withContext } from "../context.ts";

const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
const saved = {
  flags: 0,
  pos: 0n,
  fown,
  name: "/file",
  size: 9n,
  mode: 0o100644,
  build_id: [1, 2],
};

/** Ids of the files that are judged where so many descriptors are on files that are saved as they say. */
function judges(regs: readonly object[], judge: () => Problem[]): number[] {
  const ids: number[] = [];
  const all = [{ ...saved, name: "/" }, { ...saved, name: "/program" }, ...regs];
  const files = {
    ...fixture(),
    "files.img": image(
      "files.img",
      all.map((reg, at) => ({ type: 1, id: at + 1, reg: { ...reg, id: at + 1 } })),
    ),
    "fdinfo-2.img": image(
      "fdinfo-2.img",
      regs.map((_, fd) => ({ id: fd + 3, flags: 0, type: 1, fd })),
    ),
  };
  withContext(files, {}, (context) => {
    const problems = judged(context, ({ reg }) => {
      if (reg.id <= 2) return []; // the root and the program
      ids.push(reg.id);
      return judge();
    });
    expect([...problems]).toHaveLength(ids.flatMap(judge).length);
  });
  return ids;
}

const nothing = () => [];
const problem: Problem = {
  severity: "warning",
  image: "files.img",
  subject: "/file",
  message: "it is gone",
  remedy: { kind: "human", text: "put it back" },
};

test("one of many that are alike, where nothing is found of it", () => {
  expect(judges([saved, saved, { ...saved, pos: 5n }, saved], nothing)).toEqual([3]);
});

test("each of them, where something is", () => {
  expect(judges([saved, saved, saved], () => [problem])).toEqual([3, 4, 5]);
});

test("what is saved otherwise is judged by itself, and so is what comes behind it", () => {
  const others = [
    { name: "/other" },
    { flags: 2 },
    { size: 10n },
    { size: undefined },
    { mode: 0o100600 },
    { mnt_id: 7 },
    { build_id: [1, 3] },
    { build_id: [1] },
    { build_id: [] },
  ];
  for (const other of others)
    expect([other, judges([saved, { ...saved, ...other }], nothing)]).toEqual([other, [3, 4]]);
  expect(judges([saved, { ...saved, size: 10n }, saved, saved], nothing)).toEqual([3, 4, 5]);
});

test("what is used otherwise, too: a program that is open as well", () => {
  const program = { ...saved, name: "/program" };
  expect(judges([program, program], nothing)).toEqual([3]);
  const open = { ...saved, name: "/" };
  expect(judges([open, program], nothing)).toEqual([3, 4]);
});
