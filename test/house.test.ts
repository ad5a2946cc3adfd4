/** The house rule: imports point down the list of rooms, and only `report` prints. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { generated } from "../scripts/docs.ts";
import { closedTo, rooms } from "../scripts/rooms.ts";

const src = join(import.meta.dir, "../src");
const files = (readdirSync(src, { recursive: true }) as string[]).filter((file) =>
  file.endsWith(".ts"),
);
const roomOf = (file: string) => file.split("/")[0]!;

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map((match) =>
    normalize(join(dirname(file), match[1]!)),
  );
}

test("every file lives in a room that CONTRIBUTING.md lists, and every room has files", () => {
  expect(new Set(files.map(roomOf))).toEqual(new Set(rooms));
});

test("imports point down that list, never up", () => {
  const upward = files.flatMap((file) =>
    importsOf(file)
      .filter((target) => closedTo(roomOf(file)).includes(roomOf(target)))
      .map((target) => `${file} -> ${target}`),
  );
  expect(upward).toEqual([]);
});

test("what is written from the code, or from that list, is current: npm run docs", async () => {
  for await (const { now, text } of generated()) expect(now).toBe(text);
});

test("tests remove a cgroup by removeCgroup: the last process in it may still be on its way out", () => {
  const removing = (readdirSync(join(src, "../test"), { recursive: true }) as string[])
    .filter((file) => file.endsWith(".ts"))
    .filter((file) =>
      /rmdirSync\((?:\w+\.)?(?:cgroup|threaded)\b/.test(
        readFileSync(join(src, "../test", file), "utf8"),
      ),
    );
  expect(removing).toEqual([]);
});

test("no script stops reading what another program still writes: under pipefail that is its failure, now and then", () => {
  const scripts = readdirSync(join(src, "../scripts"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.\w+$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name));
  const bash = scripts.filter((file) => /^#!.*bash|pipefail/.test(readFileSync(file, "utf8")));
  expect(bash.length).toBeGreaterThan(10);
  const early = bash.flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => /(?<!\|)\|(?!\|)\s*(?:grep\b[^|]* -\w*q|grep -\w*q|head\b)/.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(early).toEqual([]);
});

test("nothing but report prints", () => {
  const printing = files.filter(
    (file) =>
      !file.startsWith("report/") &&
      /console\.|process\.(stdout|stderr)\./.test(readFileSync(join(src, file), "utf8")),
  );
  expect(printing).toEqual([]);
});

test("commands return what is to be told: they have no words for a terminal", () => {
  const speaking = files.filter(
    (file) =>
      file.startsWith("cli/") &&
      /import \{(?! captured \})[^}]*\} from "\.\.\/report\/terminal\.ts"/.test(
        readFileSync(join(src, file), "utf8"),
      ),
  );
  expect(speaking).toEqual([]);
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
  "repair/leftovers.ts": "a setting of /proc/sys, by the descriptor of its directory",
  "checks/effects/files.ts": "looks for the flag in images, opens nothing",
  "checks/forged/rules.ts": "looks for the flag in images, opens nothing",
  "image/archive.ts": "a directory of its own in a place that was walked to, and what is in it",
  "isolate/over.ts": "new files in memory of its own, which is mounted nowhere",
  "isolate/pidfile.ts": "a new file in a directory that was walked to, by its descriptor",
  "pack/unpack.ts": "a directory of its own in a place that was walked to, and what is in it",
  "repair/file.ts": "a new file in a directory that was walked to, by its descriptor",
  "repair/journal.ts":
    "names in the state directory, by its descriptor, or after nobody else can change it",
  "repair/shadow-images.ts": "names in the shadow, by its descriptor",
  "report/reasons.ts": "names in a directory that only this user can write to, by its descriptor",
  "restore/renumber.ts": "/proc",
  "restore/mend.ts": "/proc",
  "runtime/install/files.ts": "names in a directory that was walked to, by its descriptor",
  "sys/own-directory.ts":
    "a directory of its own in a place that was walked to, and such as are left",
  "sys/own-file.ts": "names in a directory that was walked to, by its descriptor",
};

test("nothing changes a file by a path that was not walked", () => {
  const changes =
    /\b(write|append|copy|truncate)FileSync\(|\b(mkdir|mkdtemp|rename|unlink|rm|rmdir|symlink|link|chmod|chown|cp|truncate)Sync\(|\bcreateWriteStream\(|Bun\.write\(|O_CREAT\b/;
  const changing = files.filter((file) => changes.test(readFileSync(join(src, file), "utf8")));
  expect(changing.sort()).toEqual(Object.keys(byPath).sort());
});

/** What opens a file otherwise than `openRegular`, which opens neither FIFO nor device, and why. */
const openers: Record<string, string> = {
  "host/lines.ts": "what somebody named to be read to its end, be it a pipe",
  "image/archive.ts": "files that it makes",
  "image/dedup.ts": "to write to a pages image, after a look",
  "pack/unpack.ts": "files that it makes",
  "repair/journal.ts": "files that it makes",
  "repair/shadow-images.ts": "files that it makes",
  "restore/mend-files.ts": "a handle only",
  "sys/own-directory.ts": "a directory of its own",
  "sys/regular.ts": "that is it",
};

test("what is only looked at is opened where it is a regular file", () => {
  const opening = files.filter((file) =>
    /\bopenSync\(/.test(readFileSync(join(src, file), "utf8")),
  );
  expect(opening.sort()).toEqual(Object.keys(openers).sort());
});

/** What reads a file by a path that is none of the kernel's, and why. */
const pathReaders: Record<string, string> = {
  "host/lock-holders.ts": "/proc/PID/fdinfo",
  "host/packages.ts": "the package manager's own files",
  "repair/leftovers.ts": "a setting of /proc/sys, by the descriptor of its directory",
  "runtime/install/files.ts": "after a look, by the descriptor of its directory",
};

test("what is read whole was opened so, or is the kernel's", () => {
  const reading = files.filter((file) =>
    [...readFileSync(join(src, file), "utf8").matchAll(/\breadFileSync\(([^,)]*)/g)].some(
      ([, what]) => !/^(?:\w+\.)?fd$|^ORDER$|^answers\[0\]$|^["`]\/(?:proc|sys)\//.test(what!),
    ),
  );
  expect(reading.sort()).toEqual(Object.keys(pathReaders).sort());
});

test("what cannot be seen is not taken for what is not there", () => {
  // Of a path behind a closed directory node:fs throws all the same: sys/look.ts says which it is.
  const blind = files.filter((file) =>
    readFileSync(join(src, file), "utf8").includes("throwIfNoEntry"),
  );
  expect(blind).toEqual([]);
});

test("a file's time, which anybody may set, is no date before that was looked at", () => {
  const told = files.filter((file) =>
    /(?<!new Date\(\))\.toISOString\(/.test(readFileSync(join(src, file), "utf8")),
  );
  expect(told.sort()).toEqual(["show/contents.ts", "sys/time.ts"]);
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

/** As scripts/test has them for --fast. */
const staged = /^staged='(.*)'$/m
  .exec(readFileSync(join(src, "../scripts/test"), "utf8"))![1]!
  .split("|");

test("the fast tests need node_modules and cc alone: what runs CRIU or what is fetched stands in a staged room", () => {
  const tests = (readdirSync(import.meta.dir, { recursive: true }) as string[]).filter(
    (file) => file.endsWith(".ts") && !staged.includes(file.split("/")[0]!),
  );
  expect(tests).toContain("repair/journal.test.ts");
  const wanting = tests.filter((file) => {
    const text = readFileSync(join(import.meta.dir, file), "utf8");
    const reached = [...text.matchAll(/(?:from|import\() ?"(\.[^"]+)"/g)].map(([, path]) =>
      normalize(join(dirname(file), path!)),
    );
    return (
      /["/]\.cache\b/.test(text) || reached.some((path) => staged.includes(path.split("/")[0]!))
    );
  });
  expect(wanting.filter((file) => file !== "house.test.ts")).toEqual([]);
});

test("what is disposed of at a function's end is not handed to one that goes on afterwards", () => {
  const handed = files.flatMap((file) => {
    const text = readFileSync(join(src, file), "utf8");
    const owned = [...text.matchAll(/\busing (\w+) = /g)].map(([, name]) => name!);
    const later = [...text.matchAll(/async function (\w+)\(/g)].map(([, name]) => name!);
    return [...text.matchAll(/\breturn ([^;]*);/g)]
      .filter(([, returned]) =>
        later.some((name) =>
          owned.some((own) => new RegExp(`(?<!await )\\b${name}\\(${own}\\b`).test(returned!)),
        ),
      )
      .map(([statement]) => `${file}: ${statement}`);
  });
  expect(handed).toEqual([]);
});

test("a number of the kernel, or of the images, has one place", () => {
  const definitions = (file: string) =>
    [
      ...readFileSync(join(src, file), "utf8").matchAll(
        /^(?:export )?const ([A-Z][A-Z0-9_]+) = /gm,
      ),
    ].map((match) => match[1]!);
  const places = ["sys/linux.ts", "sys/errno.ts", "image/flags.ts"];
  const known = new Set(places.flatMap(definitions));
  expect(known.size).toBeGreaterThan(50);
  const again = files
    .filter((file) => !places.includes(file))
    .flatMap((file) =>
      definitions(file)
        .filter((name) => known.has(name))
        .map((name) => `${file}: ${name}`),
    );
  expect(again).toEqual([]);
});

/** The text of each source, of scripts and tests by their paths from src. */
const everywhere = ["", "../scripts", "../test"].flatMap((dir) =>
  (readdirSync(join(src, dir), { recursive: true }) as string[])
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(dir, file)),
);

test("comments have subjects: no sentence begins with a bare `who`, none turns on `nobody`", () => {
  const turned = everywhere.flatMap((file) =>
    [...readFileSync(join(src, file), "utf8").matchAll(/^\s*(?:\/\/|\/\*\*|\*)(.*)$/gm)]
      .map(([, comment]) => comment!)
      .filter((comment) => /\bnobody\b|(?:^|[.:;] )\s*(?!Who else)who\b/i.test(comment))
      .map((comment) => `${file}:${comment}`),
  );
  expect(turned).toEqual([]);
});

test("releases of CRIU that matter have names: nothing compares with a number of its own", () => {
  const numbered = files.filter((file) =>
    /compareVersions\([^()]*,\s*"\d/.test(readFileSync(join(src, file), "utf8")),
  );
  expect(numbered).toEqual([]);
});

test("what is exported is imported somewhere", () => {
  const importers = new Map<string, string[]>();
  for (const file of everywhere)
    for (const target of importsOf(file).map((path) => path.replace("../src/", "")))
      importers.set(target, [
        ...(importers.get(target) ?? []),
        readFileSync(join(src, file), "utf8"),
      ]);
  const unused = files
    // Tables of images are read by the names in them.
    .filter((file) => !file.startsWith("image/tables/"))
    .flatMap((file) => {
      const text = readFileSync(join(src, file), "utf8");
      const named = text.matchAll(
        /^export (?:async )?(?:const|function\*?|class|interface|type) (\w+)/gm,
      );
      const passed = text.matchAll(/^export (?:type )?\{([^}]*)\}/gm);
      return [
        ...[...named].map((match) => match[1]!),
        ...[...passed].flatMap((match) => match[1]!.match(/\w+(?=\s*(?:,|$))/g) ?? []),
      ]
        .filter((name) => !importers.get(file)?.some((by) => new RegExp(`\\b${name}\\b`).test(by)))
        .map((name) => `${file}: ${name}`);
    });
  expect(unused).toEqual([]);
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

/** What loads with a file: all that it imports at once, but for types. */
function loadedWith(first: string): Set<string> {
  const loaded = new Set([first]);
  for (const file of loaded) {
    const text = readFileSync(join(src, file), "utf8");
    for (const [, names, target] of text.matchAll(
      /^(?:import|export) ([^"]*?)from "(\.[^"]+)";$/gms,
    ))
      if (!/^type |^\{(?:\s*type [^,}]*,?)*\s*\}/.test(names!))
        loaded.add(normalize(join(dirname(file), target!)));
  }
  return loaded;
}

test("the catalogue, of hundreds of files, loads only with what runs or lists checks, and explain with none of them", () => {
  const commands = files.filter((file) =>
    /^cli\/|^dropin\/|^runtime\/wrap|^report\/told/.test(file),
  );
  const loading = (file: string) =>
    commands.filter((command) => loadedWith(command).has(file)).sort();
  expect(loading("checks/catalogue.ts")).toEqual([
    "cli/diff.ts",
    "cli/explain.ts",
    "cli/look.ts",
    "cli/preflight.ts",
    "cli/restore-asked.ts",
    "cli/seal.ts",
    "cli/show-page.ts",
    "dropin/guard.ts",
    "dropin/request.ts",
    "dropin/restore.ts",
    "runtime/wrap.ts",
  ]);
  expect(loading("explain/index.ts")).toEqual(["cli/explain.ts"]);
});
