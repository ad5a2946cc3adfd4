/** The house rule: imports point down the list of rooms, and only `report` prints. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const src = join(import.meta.dir, "../src");
const rooms = [
  "main.ts",
  "cli",
  "carry",
  "runtime",
  "dropin",
  "restore",
  "report",
  "explain",
  "verify",
  "repair",
  "plan",
  "checks",
  "criu",
  "image",
  "host",
  "sys",
];

const files = (readdirSync(src, { recursive: true }) as string[]).filter((file) =>
  file.endsWith(".ts"),
);
const roomOf = (file: string) => rooms.indexOf(file.split("/")[0]!);

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map((match) =>
    normalize(join(dirname(file), match[1]!)),
  );
}

test("every file lives in a room", () => {
  expect(files.filter((file) => roomOf(file) < 0)).toEqual([]);
});

test("imports point down, never up", () => {
  const upward = files.flatMap((file) =>
    importsOf(file)
      .filter((target) => roomOf(target) < roomOf(file))
      .map((target) => `${file} -> ${target}`),
  );
  expect(upward).toEqual([]);
});

test("images know nothing of the host", () => {
  const knowing = files
    .filter((file) => file.startsWith("image/"))
    .filter((file) => importsOf(file).some((target) => target.startsWith("host/")));
  expect(knowing).toEqual([]);
});

test("nothing but report prints", () => {
  const printing = files.filter(
    (file) =>
      !file.startsWith("report/") &&
      /console\.|process\.(stdout|stderr)\./.test(readFileSync(join(src, file), "utf8")),
  );
  expect(printing).toEqual([]);
});

test("a working directory without a name is as good as another: nothing asks the runtime for its name", () => {
  const asking = files
    .filter((file) => file !== "sys/working-directory.ts")
    .filter((file) => {
      const text = readFileSync(join(src, file), "utf8");
      return /process\.cwd\(|realpathSync\((?!native)|\bresolve\b[^"]*from "(pathe|node:path)"/.test(
        text,
      );
    });
  expect(asking).toEqual([]);
});
