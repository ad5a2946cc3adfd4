/** What `ip route save` writes, and what it never would. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { editedImage, openImageDirectory } from "../../src/image/index.ts";
import { downMarks } from "../../src/image/routes.ts";
import { attribute, nexthop, route, routes } from "./made-routes.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-routes-"));
afterAll(() => rmSync(dir, { recursive: true }));

function put(bytes: Uint8Array) {
  writeFileSync(join(dir, "route-3.img"), bytes);
  const opened = openImageDirectory(dir);
  if (!opened.ok) throw new Error(opened.fault.problem);
  return opened.directory;
}

function marksOf(bytes: Uint8Array, most = 10) {
  const read = put(bytes).read("route-3.img", (source) => downMarks(source, most));
  if (!read.ok) throw new Error(read.fault.problem);
  return read.value.map(({ entry, field, flags, rest, destination, device }) =>
    [entry, field, flags, rest, destination, device].join(" "),
  );
}

const LINKDOWN = 16;
const ONLINK = 4;
const destination = attribute(1, [10, 9, 0, 0]);
const device = attribute(4, [2, 0, 0, 0]);
const ways = attribute(9, [
  ...nexthop(0, 2),
  ...nexthop(LINKDOWN | ONLINK | 1, 3, attribute(5, [10, 9, 0, 2])),
]);
const whole = routes(
  route({ flags: 0, attributes: [destination, device] }),
  route({ flags: LINKDOWN | 0x4000, attributes: [destination, device] }),
  route({ flags: LINKDOWN, family: 10, attributes: [device] }),
  route({ attributes: [attribute(16, [1, 2, 3, 4, 5]), ways] }),
);
const found = [
  "1 rtm_flags 16400 16384 10.9.0.0/24 2",
  "3 rta_multipath.1.rtnh_flags 21 4 default 3",
];

test("the marks on routes of IPv4 and on their ways are found, and other flags stay", () => {
  expect(marksOf(whole)).toEqual(found);
  expect(marksOf(whole, 1)).toEqual(found.slice(0, 1));
});

test("an edit changes the flags and nothing else; flags that are others by now are a problem", () => {
  const directory = put(whole);
  const edit = (entry: number, field: string, from: number, to: number | null) =>
    editedImage(directory, "route-3.img", [{ entry, field, from, to }], 2);
  for (const [entry, field, from, to] of [
    [1, "rtm_flags", 16400, 16384],
    [3, "rta_multipath.1.rtnh_flags", 21, 4],
  ] as const) {
    const edited = edit(entry, field, from, to);
    if (!edited.ok) throw new Error(edited.problem);
    const differing = [...edited.bytes].filter((byte, at) => byte !== whole[at]);
    expect([edited.bytes.length, differing]).toEqual([whole.length, [to & 0xff]]);
    expect(marksOf(edited.bytes)).toEqual(found.filter((line) => !line.startsWith(`${entry} `)));
    put(whole);
  }
  for (const wrong of [
    edit(1, "rtm_flags", 16, 0),
    edit(0, "rtm_flags", 0, 16),
    edit(1, "rtm_type", 16400, 0),
    edit(1, "rtm_flags", 16400, null),
  ])
    expect(wrong).toEqual({ ok: false, problem: expect.stringContaining("is no longer") });
});

test("bytes that are no routes have no marks, wherever they end", () => {
  for (let end = 0; end < whole.length; end += 1)
    expect(found.join().startsWith(marksOf(whole.subarray(0, end)).join())).toBe(true);
  expect(marksOf(routes(Buffer.alloc(64)))).toEqual([]); // messages of length 0
  expect(marksOf(Buffer.from(whole).fill(0, 0, 1))).toEqual([]); // another magic
  const endless = attribute(9, [0, 0, LINKDOWN, 0, 2, 0, 0, 0, 0, 0, LINKDOWN, 0, 2, 0, 0, 0]);
  expect(marksOf(routes(route({ attributes: [endless] })))).toHaveLength(1);
});
