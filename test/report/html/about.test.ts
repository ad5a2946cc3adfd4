/** Marks beside what findings are about. */
import { expect, test } from "bun:test";
import type { Finding } from "../../../src/checks/index.ts";
import { type About, marksOf } from "../../../src/report/html/about.ts";

const about = (number: number, id: string, standing: About["standing"] = "blocker"): About => ({
  number,
  finding: { id, message: `${id} ${number}` } as Finding,
  standing,
  tasks: new Set([7]),
  file: undefined,
});

test("findings of one kind are one mark with their number, which leads to the first", () => {
  const marks = marksOf([
    about(1, "file-missing"),
    about(2, "pid-in-use"),
    about(3, "file-missing"),
    about(4, "file-missing", "warning"),
  ]).map(({ text }) => text.replace(/\s+/g, " "));
  expect(marks).toHaveLength(3);
  expect(marks[0]).toContain('class="mark blocker" href="#finding-1"');
  expect(marks[0]).toContain("file-missing ×2<");
  expect(marks[1]).toContain("pid-in-use<");
  expect(marks[2]).toContain('class="mark warning" href="#finding-4"');
});
