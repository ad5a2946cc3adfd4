import { pidMax } from "../../../src/checks/tree/pid-max.ts";
import { run } from "../rights.ts";
import { expect, test } from "bun:test";

test("pid-max: where the sysctl cannot be written CRIU stops", () => {
  const files = { "/proc/sys/kernel/pid_max": "11\n" };
  expect(run(pidMax, {}, files, { writable: false })).toMatchObject([
    { severity: "blocker", subject: "12" },
  ]);
  expect(run(pidMax, {}, files)).toMatchObject([{ severity: "warning", subject: "12" }]);
  expect(run(pidMax, {}, { "/proc/sys/kernel/pid_max": "13\n" })).toEqual([]);
});
