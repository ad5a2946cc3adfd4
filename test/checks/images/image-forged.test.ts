/** What two places of the images say of one thing, since CRIU 4.3. The table of values: ../forged.test.ts. */
import { imageForged } from "../../../src/checks/images/image-forged.ts";
import { pageSize } from "../../../src/sys/process.ts";
import { fixture, image } from "../../image/fixture.ts";
import { withContext } from "../context.ts";
import { expect, test } from "bun:test";

const forged = (images: Record<string, Uint8Array>) =>
  withContext({ ...fixture(), ...images }, {}, (context) =>
    [...imageForged.run(context)].map(({ image: file, subject, message }) => {
      expect(file).toMatch(/^(pagemap-10|sk-queues)\.img$/);
      return `${subject}: ${/ is (\S+): /.exec(message)?.[1]}`;
    }),
  );

test("image-forged: blocks of compressed pages are as many as there are, no larger than whole, and what they say together", () => {
  const whole = 2 * pageSize();
  const packed = (blocks: object, more: object = {}) =>
    forged({
      "pagemap-10.img": image("pagemap-10.img", [
        { pages_id: 1 },
        {
          vaddr: 4096n,
          compat_nr_pages: 0,
          nr_pages: 5n,
          flags: 4,
          blocks: {
            pages_per_block: 2,
            block_sizes: [9, whole, 0],
            total_payload_size: BigInt(9 + whole),
            ...blocks,
          },
          ...more,
        },
      ]),
    });
  const at = (field: string) => `pagemap_blocks.${field} at 0x1000`;
  expect(packed({})).toEqual([]);
  expect(packed({ total_payload_size: 8n })).toEqual([`${at("total_payload_size")}: 8`]);
  expect(packed({ block_sizes: [9], total_payload_size: 9n })).toEqual([`${at("block_sizes")}: 1`]);
  const long = { block_sizes: [9, 0, whole], total_payload_size: BigInt(9 + whole) };
  expect(packed(long)).toEqual([`${at("block_sizes")}: ${whole}`]);
  for (const pages_per_block of [0, 1025])
    expect(packed({ pages_per_block })).toEqual([`${at("pages_per_block")}: ${pages_per_block}`]);
  expect(packed({}, { flags: 1 })).toEqual([`${at("block_sizes")}: 3`]);
});

test("image-forged: who sent a message that waits is a task of the tree", () => {
  const sent = (pid: number) =>
    forged({
      "sk-queues.img": Buffer.concat([
        image("sk-queues.img", [{ id_for: 1, length: 2, scm: [], ucred: { pid, uid: 0, gid: 0 } }]),
        Buffer.from("hi"),
      ]),
    });
  expect(sent(10)).toEqual([]);
  expect(sent(1)).toEqual(["sk_ucred_entry.pid: 1"]);
});
