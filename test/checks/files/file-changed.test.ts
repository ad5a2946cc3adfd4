/** When a file of another size may be let pass: only what was written to its end and nowhere else, or what the user vouches for. */
import { afterAll, expect, test } from "bun:test";
import { chmodSync, constants, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileChanged } from "../../../src/checks/files/file-changed.ts";
import { openRoot } from "../../../src/host/root.ts";
import { fixture, image } from "../../image/fixture.ts";
import { withContext } from "../context.ts";

const dir = realpathSync(mkdtempSync(join(tmpdir(), "recriu-changed-")));
afterAll(() => rmSync(dir, { recursive: true }));
const path = join(dir, "file");

const { O_WRONLY, O_RDWR, O_RDONLY, O_APPEND } = constants;
const noOne = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };

interface Saved {
  flags?: number;
  size?: bigint;
  mode?: number;
  build_id?: number[];
  /** It is the program, too. */
  runs?: boolean;
}

/** How each difference of the file, 100 bytes of mode 0644 now, is answered. */
function answered(
  { flags = O_WRONLY | O_APPEND, size = 100n, mode = 0o100644, build_id = [], runs = false }: Saved,
  { options = [] as string[], allowGrown = [] as string[] } = {},
): string[] {
  writeFileSync(path, Buffer.alloc(100));
  chmodSync(path, 0o644);
  const all = fixture();
  const reg = { id: 3, flags, pos: 0n, fown: noOne, name: path, size, mode, build_id };
  const files = image("files.img", [
    { type: 1, id: 1, reg: { id: 1, flags: 0, pos: 0n, fown: noOne, name: "/" } },
    { type: 1, id: 2, reg: { id: 2, flags: 0, pos: 0n, fown: noOne, name: "/dev/null" } },
    { type: 1, id: 3, reg },
  ]);
  const mm = runs
    ? {
        "mm-10.img": image("mm-10.img", [
          { ...addresses, exe_file_id: 3, mm_saved_auxv: [], vmas: [], aios: [] },
        ]),
      }
    : {};
  return withContext(
    { ...all, "files.img": files, ...mm },
    {
      options,
      own: { allowGrown },
      host: { root: openRoot, packageOf: () => undefined, read: () => undefined },
    },
    (context) =>
      [...fileChanged.run(context)].map(({ severity, remedy }) => {
        const command = remedy.kind === "human" && remedy.text.includes("--allow-grown");
        return `${severity} ${command ? "vouch" : remedy.kind}`;
      }),
  );
}

const parts =
  "start_code end_code start_data end_data start_stack start_brk brk arg_start arg_end env_start env_end";
const addresses = Object.fromEntries(parts.split(" ").map((name) => [`mm_${name}`, 0n]));

test("the file of the dump", () => {
  expect(answered({})).toEqual([]);
});

test("a log that grew: only where it was open for appending and nothing else", () => {
  const grew = { size: 50n };
  expect(answered(grew)).toEqual(["blocker edit"]);
  for (const flags of [O_WRONLY, O_RDWR | O_APPEND, O_RDONLY | O_APPEND, O_RDONLY])
    expect(answered({ ...grew, flags })).toEqual(["blocker vouch"]);
  expect(answered({ ...grew, flags: O_RDWR }, { allowGrown: [path] })).toEqual(["blocker edit"]);
  expect(answered({ ...grew, flags: O_RDWR }, { allowGrown: ["/other"] })).toEqual([
    "blocker vouch",
  ]);
});

test("what is shorter, has a build-id, or is run is never let pass", () => {
  for (const saved of [{ size: 150n }, { size: 50n, build_id: [1, 2] }, { size: 50n, runs: true }])
    expect([saved, answered(saved, { allowGrown: [path] })]).toEqual([saved, ["blocker human"]]);
});

test("another mode; permissions are not looked at where the user says so, the kind of file is", () => {
  expect(answered({ mode: 0o100600 })).toEqual(["blocker human"]);
  const skip = { options: ["--skip-file-rwx-check"] };
  expect(answered({ mode: 0o100600 }, skip)).toEqual([]);
  expect(answered({ mode: 0o60644 }, skip)).toEqual(["blocker human"]);
  expect(answered({ mode: 0o104644 }, skip)).toEqual(["blocker human"]);
});
