/** Paths that are elsewhere here: which fields of files.img and of mounts name one, and what a checkpoint is then. */
import { expect, test } from "bun:test";
import { type Checkpoint, pathEdits, withPaths } from "../../src/image/index.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const files = [
  { id: 1, reg: { id: 1, name: "/a/b" } },
  { id: 2, reg: { id: 2, name: "/ab" } },
  { id: 3, usk: { id: 3, name: bytes("/a/socket\0"), name_dir: "/a" } },
  { id: 4, usk: { id: 4, name: bytes("\0/a/abstract") } },
  { id: 5, usk: { id: 5, name: bytes("relative") } },
  {
    id: 6,
    ify: {
      id: 6,
      wd: [
        { wd: 1, f_handle: { path: "/a" } },
        { wd: 2, f_handle: {} },
      ],
    },
  },
  {
    id: 7,
    ffy: { mark: [{ ie: { f_handle: { path: "/a/x" } } }, { me: { mnt_id: 1, path: "/a/y" } }] },
  },
];
// CRIU writes either form.
const mounts = ["/", "/ab", "/a/mount", "./a/b"].map((mountpoint) => ({ mountpoint }));
const checkpoint = {
  dir: "/images",
  files: new Map([["mountpoints-9.img", 0]]),
  values: (file: string) => (file === "files.img" ? files : mounts),
  mounts: () => mounts,
  openFiles: new Map(files.map((file) => [file.id, file])),
} as unknown as Checkpoint;

test("what names a path at OLD or below it, and nothing else", () => {
  const paths = [
    { from: "/a/b", to: "/first" },
    { from: "/a", to: "/new/place" },
  ];
  expect(pathEdits(checkpoint, paths, paths[0]!)).toMatchObject([
    { file: "files.img", entry: 0, to: "/first" },
    { file: "mountpoints-9.img", entry: 3, field: "mountpoint", from: "./a/b", to: "./first" },
  ]);
  const edits = pathEdits(checkpoint, paths, paths[1]!);
  expect(edits.map(({ entry, field, from, to }) => [entry, field, from, to])).toEqual([
    [2, "usk.name", "/a/socket\0", "/new/place/socket\0"],
    [2, "usk.name_dir", "/a", "/new/place"],
    [5, "ify.wd.0.f_handle.path", "/a", "/new/place"],
    [6, "ffy.mark.0.ie.f_handle.path", "/a/x", "/new/place/x"],
    [6, "ffy.mark.1.me.path", "/a/y", "/new/place/y"],
    [2, "mountpoint", "/a/mount", "/new/place/mount"],
  ]);
});

test("the checkpoint is the same but for its open files and mounts; without paths it is itself", () => {
  const seen = withPaths(checkpoint, [
    { from: "/a/b", to: "/first" },
    { from: "/a", to: "/second" },
  ]);
  expect(seen.openFiles.get(1)?.reg?.name).toBe("/first");
  expect(seen.openFiles.get(3)?.usk?.name_dir).toBe("/second");
  expect([seen.dir, seen.openFiles === seen.openFiles]).toEqual(["/images", true]);
  expect(seen.mounts(9).map(({ mountpoint }) => mountpoint)).toEqual([
    "/",
    "/ab",
    "/second/mount",
    "./first",
  ]);
  expect(seen.mounts(9) === seen.mounts(9)).toBe(true);
  expect(checkpoint.openFiles.get(1)?.reg?.name).toBe("/a/b");
  expect(withPaths(checkpoint, [])).toBe(checkpoint);
});
