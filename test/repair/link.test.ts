/** A name more of a file that is there: of the sealed one alone, whatever has come there since the plan was made. */
import { linkAgain } from "../../src/repair/link.ts";
import type { Step } from "../../src/repair/step.ts";
import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

test("what is linked to is the sealed file itself: no other bytes, no other mode, no link to it", () => {
  const dir = mkdtempSync(join(tmpdir(), "recriu-link-"));
  try {
    const [there, name] = [join(dir, "there"), join(dir, "name")];
    const write = (text: string) => {
      rmSync(there, { force: true });
      writeFileSync(there, text, { mode: 0o640 });
      chmodSync(there, 0o640);
    };
    const { uid, gid } = statSync(dir);
    const sealed = Bun.SHA256.hash("sealed", "hex");
    const put = { action: "file", root: "/", path: name, mode: 0o640, uid, gid } as const;
    const repair = { ...put, from: "", sha256: sealed, size: 6, xattrs: {}, directories: [] };
    const steps: Step[] = [];
    const link = () => linkAgain(repair, there, (step) => steps.push(step))?.problem;

    for (const [change, why] of [
      [() => write("SEALED"), "not the file that was sealed"],
      [() => (write("sealed"), chmodSync(there, 0o644)), "not the file that was sealed"],
      [
        () => (
          write("sealed"),
          renameSync(there, `${there}.is`),
          symlinkSync(`${there}.is`, there)
        ),
        "no regular file",
      ],
    ] as const) {
      change();
      expect([link(), existsSync(name), steps]).toEqual([expect.stringContaining(why), false, []]);
    }
    write("sealed");
    expect(link()).toBeUndefined();
    expect([statSync(name).ino, statSync(name).nlink]).toEqual([statSync(there).ino, 2]);
    // Known by its inode before it was made: a killed recriu's undo takes back that and nothing else.
    const { dev, ino } = statSync(there);
    expect(steps.map(({ path, inode }) => [path, inode])).toEqual([[name, `${dev}:${ino}`]]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
