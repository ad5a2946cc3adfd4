import { expect, test } from "bun:test";
import { criuOlder } from "../../../src/checks/kernel/criu-older.ts";
import { fixture } from "../../image/fixture.ts";
import { sealedWith, withContext } from "../context.ts";

test("criu-older: than the one where it was sealed, where both are known", () => {
  const found = (criu: string | null, version?: string) =>
    withContext(fixture(), { seal: sealedWith({ criu }), ...(version && { version }) }, (context) =>
      [...criuOlder.run(context)].map(({ severity, message }) => `${severity}: ${message}`),
    );
  expect(found("4.2", "3.17.1")).toEqual([
    "warning: CRIU was 4.2 where it was sealed; here it is 3.17.1",
  ]);
  expect(found("4.10", "4.2.1")).toHaveLength(1);
  for (const was of ["4.2.1", "4.2", "3.17.1", null, "built by hand"])
    expect(found(was, "4.2.1")).toEqual([]);
});
