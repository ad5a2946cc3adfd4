import { findings } from "../inventory.ts";
import { expect, test } from "bun:test";

test("allow-uprobes-needed: CRIU 4.2 wants the option again, and loses nothing by it", () => {
  expect(findings("4.2")).toMatchObject([
    {
      severity: "blocker",
      criu_message: "Dumped with --allow-uprobes. Need to set it on restore as well.",
      remedy: { option: "--allow-uprobes", automatic: true },
    },
  ]);
  expect(findings("4.2", ["--no-allow-uprobes"])).toMatchObject([{ remedy: { automatic: false } }]);
});
