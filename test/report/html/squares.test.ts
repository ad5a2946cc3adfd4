/** Areas of a treemap are as large as what they stand for, inside of the whole, and none is over another. */
import { expect, test } from "bun:test";
import { squares } from "../../../src/report/html/squares.ts";

const whole = { x: 10, y: 20, width: 600, height: 200 };

test.each([
  [[7]],
  [[5, 3, 2]],
  [[100, 1, 1, 1]],
  [Array.from({ length: 300 }, (_, at) => 300 - at)],
])("%j", (values) => {
  const placed = squares(values, whole);
  expect(placed).toHaveLength(values.length);
  const sum = values.reduce((all, value) => all + value, 0);
  for (const [at, { x, y, width, height }] of placed.entries()) {
    expect(width * height).toBeCloseTo((values[at]! / sum) * 120_000, 3);
    expect(x).toBeGreaterThan(9.999);
    expect(y).toBeGreaterThan(19.999);
    expect(x + width).toBeLessThan(610.001);
    expect(y + height).toBeLessThan(220.001);
    for (const other of placed.slice(0, at)) {
      const wide = Math.min(x + width, other.x + other.width) - Math.max(x, other.x);
      const high = Math.min(y + height, other.y + other.height) - Math.max(y, other.y);
      expect(wide < 0.001 || high < 0.001).toBe(true);
    }
  }
});

test("nothing, and nothing but zeros, have no area", () => {
  expect(squares([], whole)).toEqual([]);
  for (const { width, height } of squares([0, 0], whole)) expect(width * height).toBe(0);
});
