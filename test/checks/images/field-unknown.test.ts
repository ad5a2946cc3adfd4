import { fieldUnknown } from "../../../src/checks/images/field-unknown.ts";
import { fixture } from "../../image/fixture.ts";
import { withContext } from "../context.ts";
import { expect, test } from "bun:test";

test("field-unknown: a field that no table has is told once, with its file and number", () => {
  const found = (images: Record<string, Uint8Array>) =>
    withContext(images, {}, (context) => {
      context.checkpoint.readEverything();
      return [...fieldUnknown.run(context)];
    });
  expect(found(fixture())).toEqual([]);
  // The inventory is one message behind its magic and its length; field 1000, a number.
  const old = Buffer.from(fixture()["inventory.img"]!);
  const grown = Buffer.concat([old, Buffer.from([0xc0, 0x3e, 0x01])]);
  grown.writeUInt32LE(old.readUInt32LE(4) + 3, 4);
  expect(found({ ...fixture(), "inventory.img": grown })).toMatchObject([
    { severity: "info", image: "inventory.img", subject: "inventory_entry field 1000" },
  ]);
});
