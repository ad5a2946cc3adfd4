import { imageMissing } from "../../../src/checks/images/image-missing.ts";
import { withContext } from "../context.ts";
import { expect, test } from "bun:test";

test("with --stream there are no images to miss", () => {
  const run = (...options: string[]) =>
    withContext({}, { options }, (context) => [...imageMissing.run(context)].length);
  expect(run()).toBeGreaterThan(0);
  expect(run("--stream")).toBe(0);
});
