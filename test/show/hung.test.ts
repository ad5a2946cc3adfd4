/** The tree as it is drawn: every task once, wherever the images say that it hangs. */
import { expect, test } from "bun:test";
import { hungTasks } from "../../src/show/hung.ts";
import type { ShownTask } from "../../src/show/tasks.ts";

const drawn = (...pairs: [pid: number, ppid: number][]) =>
  hungTasks(pairs.map(([pid, ppid]) => ({ pid, ppid }) as ShownTask)).map(
    ({ task: { pid }, follows }) =>
      `${pid} ${follows.map((follow) => (follow ? "+" : "-")).join("")}`,
  );

test("children stand behind their parents, and each level says whether a sibling follows", () => {
  expect(drawn([1, 0], [2, 1], [3, 1], [4, 2], [5, 2])).toEqual([
    "1 ",
    "2 +",
    "4 ++",
    "5 +-",
    "3 -",
  ]);
});

test("a circle, a task of its own, and a parent that is not there end", () => {
  expect(drawn([1, 2], [2, 1])).toEqual(["1 ", "2 -"]);
  expect(drawn([7, 7], [8, 99])).toEqual(["7 ", "8 "]);
});

test("a chain of any length is drawn", () => {
  const chain = drawn(...Array.from({ length: 20_000 }, (_, at): [number, number] => [at + 1, at]));
  expect(chain).toHaveLength(20_000);
  expect(Math.max(...chain.map((each) => each.split(" ")[1]!.length))).toBe(40);
});
