/** What only a CRIU asks for that is not installed here: 4.2. */
import { expect, test } from "bun:test";
import { allowUprobesNeeded } from "../../src/checks/criu/allow-uprobes-needed.ts";
import { fixture, image } from "../image/fixture.ts";
import { withContext } from "./context.ts";

const inventory = { img_version: 2, fdinfo_per_id: true, allow_uprobes: true };
const traced = { ...fixture(), "inventory.img": image("inventory.img", [inventory]) };

const findings = (version: string, options: string[] = []) =>
  withContext(traced, { version, options }, (context) => allowUprobesNeeded.run(context));

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

test("with the option, and to a CRIU that does not know it, there is nothing to say", () => {
  expect(findings("4.2", ["--allow-uprobes"])).toEqual([]);
  expect(findings("4.1.1")).toEqual([]);
});
