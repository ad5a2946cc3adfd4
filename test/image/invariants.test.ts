/** What six caches of checks and verification rest on: what is read is one object, and it cannot be changed. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "../../src/image/index.ts";
import { message, optional } from "../../src/image/schema.ts";
import { file_entry, ghost_chunk_entry, ghost_file_entry } from "../../src/image/tables/files.ts";
import { pagemap_entry, pagemap_head } from "../../src/image/tables/memory.ts";
import { netns_entry, userns_entry } from "../../src/image/tables/namespaces.ts";
import { decode, encode } from "../../src/image/wire.ts";
import { fixture } from "./fixture.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "recriu-invariants-"));
  for (const [name, bytes] of Object.entries(fixture())) writeFileSync(join(dir, name), bytes);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function opened() {
  const result = openCheckpoint(dir);
  if (!result.ok) throw new Error(result.fault.problem);
  return result.checkpoint;
}

test("what is asked for twice is one object, also when everything was read in between", () => {
  const checkpoint = opened();
  const all = () => [
    checkpoint.root,
    ...checkpoint.tasks,
    ...checkpoint.tasks.flatMap(({ threads, core, ids, mm, fs, fds }) =>
      [threads, threads.map((thread) => thread.core), core, ids, mm, fs, fds].flat(),
    ),
    checkpoint.tasks,
    checkpoint.pstree,
    checkpoint.openFiles,
    checkpoint.pagemaps,
    checkpoint.fileLocks,
    checkpoint.remaps,
    checkpoint.ttys,
    checkpoint.socketQueues,
    checkpoint.pages(),
    checkpoint.mounts(6),
    checkpoint.values("files.img", file_entry),
  ];
  const before = all();
  checkpoint.readEverything();
  const after = all();
  expect(after.map((value, at) => value === before[at])).toEqual(before.map(() => true));
});

test("what was read of a task is plain data: no getter is asked again", () => {
  const checkpoint = opened();
  checkpoint.readEverything();
  for (const task of checkpoint.tasks) {
    void task.state;
    for (const name of ["state", "core", "ids", "mm", "fs", "fds"])
      expect([name, Object.getOwnPropertyDescriptor(task, name)?.get]).toEqual([name, undefined]);
    expect(Object.keys(task)).toContain("mm");
  }
});

test("an image is asked for tables of its own only", () => {
  const checkpoint = opened();
  // @ts-expect-error: a user namespace is not in there, and the compiler knows it of a name that it knows.
  expect(() => checkpoint.values("netns-3.img", userns_entry)).toThrow("has no userns_entry");
  // @ts-expect-error: with a number in its name, too.
  expect(() => checkpoint.values(`netns-${dir.length}.img`, userns_entry)).toThrow("has no");
  // @ts-expect-error: what CRIU does not write has no table.
  expect(() => checkpoint.values("others.img", userns_entry)).toThrow("no format of others.img");
  const name: string = "netns-3.img";
  expect(() => checkpoint.values(name, userns_entry)).toThrow("has no userns_entry");
  expect(checkpoint.values(name, netns_entry)).toEqual([]);
});

test("a first entry that is another than the rest is had by its own table", () => {
  const checkpoint = opened();
  expect(checkpoint.values("pagemap-10.img", pagemap_head)).toEqual([{ pages_id: 1 }]);
  expect(checkpoint.values("pagemap-10.img", pagemap_entry)).toMatchObject([{ vaddr: 0x400000n }]);
  expect(checkpoint.values("ghost-file-1a.img", ghost_file_entry)).toEqual([]);
  expect(checkpoint.values("ghost-file-1a.img", ghost_chunk_entry)).toEqual([]);
});

test("messages are readonly at any depth", () => {
  const checkpoint = opened();
  const never = () => {
    const { root, openFiles } = checkpoint;
    // @ts-expect-error: a field
    root!.core!.mtype = 2;
    // @ts-expect-error: a field of a field
    root!.core!.tc!.task_state = 2;
    // @ts-expect-error: a list
    root!.mm!.vmas.push(root!.mm!.vmas[0]!);
    // @ts-expect-error: a field of an item
    root!.mm!.vmas[0]!.start = 0n;
    // @ts-expect-error: a byte
    openFiles.get(1)!.usk!.name[0] = 0;
    // @ts-expect-error: bytes
    openFiles.get(1)!.usk!.name.fill(0);
    // @ts-expect-error: bytes, by what would change them
    ((bytes: Uint8Array) => bytes.fill(0))(openFiles.get(1)!.usk!.name);
    // @ts-expect-error: a task
    root!.pid = 1;
  };
  expect(never).toBeFunction();
});

test("bytes of a message are its own: what they were read from may be used again", () => {
  const known = message("known", { data: optional(1, "bytes") });
  const stranger = message("stranger", { more: optional(2, "bytes") });
  const written = encode(known, { data: Uint8Array.of(1, 2, 3) });
  // As a file is read: a part of a buffer that is larger.
  const space = Buffer.concat([Buffer.alloc(8), written, Buffer.alloc(8)]);
  const bytes = space.subarray(8, 8 + written.length);
  const [data, unknown] = [decode(known, bytes), decode(stranger, bytes)];
  if (!data.ok || !unknown.ok) throw new Error("not decoded");
  space.fill(0xff);
  expect([...data.value.data!]).toEqual([1, 2, 3]);
  expect([...encode(stranger, unknown.value)]).toEqual([...written]);
});
