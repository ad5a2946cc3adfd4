import { expect, test } from "bun:test";
import { pageSizeDiffers } from "../../../src/checks/kernel/page-size-differs.ts";
import { pageSize } from "../../../src/sys/process.ts";
import { fixture } from "../../image/fixture.ts";
import { sealedWith, withContext } from "../context.ts";

test("page-size-differs: of arm64 with pages of 64 KiB; no machine here has them", () => {
  const found = (page_size?: number) => {
    const seal = sealedWith(page_size ? { host: { page_size, limits: {}, gpus: [] } } : {});
    return withContext(fixture(), { seal }, (context) => [...pageSizeDiffers.run(context)]);
  };
  expect(found(65536)).toMatchObject([{ severity: "blocker", subject: "65536" }]);
  expect(found(pageSize())).toEqual([]);
  expect(found()).toEqual([]);
});
