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
  const asking = files.filter(
    (file) =>
      file !== "sys/working-directory.ts" &&
      /process\.cwd\(|realpathSync\(/.test(readFileSync(join(src, file), "utf8")),
  );
  expect(asking).toEqual([]);
});

/**
 * What changes a file by its path follows whatever a user of the machine has put on the way. Rooms walk (`sys/walk.ts`)
 * and use descriptors, or have a reason to be here.
 */
const byPath: Record<string, string> = {
  "repair/leavings.ts": "a setting of /proc/sys, by the descriptor of its directory",
  "checks/effects/files.ts": "looks for the flag in images, opens nothing",
  "checks/forged/rules.ts": "looks for the flag in images, opens nothing",
  "image/archive.ts": "a directory of its own in a place that was walked to, and what is in it",
  "repair/journal.ts":
    "names in the state directory, by its descriptor, or after nobody else can change it",
  "repair/shadow-images.ts": "names in the shadow, by its descriptor",
  "restore/aside.ts": "/proc",
  "restore/mend.ts": "/proc",
  "runtime/install/files.ts": "names in a directory that was walked to, by its descriptor",
  "sys/own-file.ts": "names in a directory that was walked to, by its descriptor",
};

test("nothing changes a file by a path that was not walked", () => {
  const changes =
    /\b(write|append|copy|truncate)FileSync\(|\b(mkdir|mkdtemp|rename|unlink|rm|rmdir|symlink|link|chmod|chown|cp|truncate)Sync\(|\bcreateWriteStream\(|Bun\.write\(|O_CREAT\b/;
  const changing = files.filter((file) => changes.test(readFileSync(join(src, file), "utf8")));
  expect(changing.sort()).toEqual(Object.keys(byPath).sort());
});

test("what cannot be seen is not taken for what is not there", () => {
  // Of a path behind a closed directory node:fs throws all the same: sys/look.ts says which it is.
  const blind = files.filter((file) =>
    readFileSync(join(src, file), "utf8").includes("throwIfNoEntry"),
  );
  expect(blind).toEqual([]);
});

test("only one way leads up a path, and that one ends", () => {
  const climbing = files.filter(
    (file) =>
      file !== "host/upward.ts" &&
      /(\w+) = (?:\w+\.)?dirname\(\1\)/.test(readFileSync(join(src, file), "utf8")),
  );
  expect(climbing).toEqual([]);
});

test("paths are the kernel's: nothing takes a backslash for a separator", () => {
  const others = files.filter((file) =>
    /from "(?:pathe|(?:node:)?path(?:\/\w+)?)"/.test(readFileSync(join(src, file), "utf8")),
  );
  expect(others).toEqual([]);
});

test("what CRIU says is known to explain alone, until something is to be explained", () => {
  const loading = files.filter(
    (file) =>
      !file.startsWith("explain/") &&
      /^import (?!type\b)[^;]*"[^"]*\/explain\/(?:index|entries|log)/m.test(
        readFileSync(join(src, file), "utf8"),
      ),
  );
  expect(loading.sort()).toEqual(["cli/explain.ts", "report/pages.ts"]);
});
