/** Times that file systems in memory keep, and no Date has: they are found in directories of others, and are no crash. */
import { expect, test } from "bun:test";
import { timeText } from "../../src/sys/time.ts";

test("a time is ISO 8601; one beyond all dates says so", () => {
  expect(timeText(new Date(0))).toBe("1970-01-01T00:00:00.000Z");
  expect(timeText(new Date(1e20))).toBe("beyond the year 275760");
});
