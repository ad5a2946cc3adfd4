/** The tables: every entry is understood, explains its own words and lines, and is the only one to. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lineOf, messages } from "../../scripts/explained.ts";
import { catalogue } from "../../src/checks/index.ts";
import { criuOptions, recriuOptions } from "../../src/criu/index.ts";
import { knownFaults } from "../../src/criu/known-faults.ts";
import type { Entry, Words } from "../../src/explain/entry.ts";
import { index } from "../../src/explain/entries/index.ts";
import { errnoNames } from "../../src/explain/errno.ts";
import { find } from "../../src/explain/find.ts";
import { entries, explain } from "../../src/explain/index.ts";
import { holesAs } from "../../src/explain/words.ts";

const all = entries().flatMap((entry) => entry.says.map((words) => ({ entry, words })));

test("checks, faults, errnos and ways that entries name are there", () => {
  const ids = new Set<string>(catalogue.map(({ id }) => id));
  const faults = new Set<string>(knownFaults.map(({ id }) => id));
  for (const { says, check, also, fault, way } of entries()) {
    const [{ text }] = says as [Words];
    for (const id of [...(check === "" ? [] : [check]), ...also])
      expect([text, id, ids.has(id)]).toEqual([text, id, true]);
    if (fault !== undefined) expect([text, faults.has(fault)]).toEqual([text, true]);
    expect([undefined, "dump", "restore", "check"]).toContain(way);
    for (const { errnos } of says)
      expect([text, errnos.filter((name) => !errnoNames.has(name))]).toEqual([text, []]);
  }
});

test("a cause names only what the line says", () => {
  const names = (text: string) => Array.from(text.matchAll(/<#?(\w+)>/g), ([, name]) => name!);
  const lacking = all.filter(({ entry, words }) => {
    // What may be missing stands in brackets, behind a colon, or between commas.
    const cause = entry.cause.replace(/ \(<\w+>\)|:(?: <\w+>)+$|,? <\w+>(?=,)/g, "");
    const told = new Set([
      "errno",
      ...names(words.text),
      ...(words.what === undefined ? [] : ["what"]),
    ]);
    return names(cause).some((name) => !told.has(name));
  });
  expect(lacking.map(({ words }) => words.text)).toEqual([]);
});

test("two signs for numbers do not stand side by side: CRIU's own # would be one", () => {
  expect(all.map(({ words }) => words.text).filter((text) => /#<?#/.test(text))).toEqual([]);
});

test("no two entries claim the same words of the same source with the same errno", () => {
  const claims = Map.groupBy(all, ({ words }) => holesAs(words.text, "?").replace(/[.!\s]+$/, ""));
  const twice: string[] = [];
  for (const [text, claiming] of claims)
    for (const [at, one] of claiming.entries())
      for (const other of claiming.slice(at + 1))
        if (meet(one, other) && conditionOf(one) === conditionOf(other)) twice.push(text);
  expect(twice).toEqual([]);
});

/** What an entry asks for beside its words. */
const conditionOf = ({ entry }: Claim): string =>
  `${entry.beside?.source} ${entry.mended?.from} ${entry.mended?.fixed}`;

interface Claim {
  entry: Entry;
  words: Words;
}
function meet(one: Claim, other: Claim): boolean {
  const files = one.entry.files.some((file) => other.entry.files.includes(file));
  const ways = one.entry.way === other.entry.way;
  if (one.entry.guard !== undefined && other.entry.guard !== undefined) return false;
  const [a, b] = [one.words, other.words];
  const errnos = [...errnoNames].some((name) => holds(a, name) && holds(b, name));
  // Only some errnos go before any.
  return files && ways && errnos && a.errnos.length > 0 === b.errnos.length > 0;
}
const holds = ({ errnos, not }: Words, name: string): boolean =>
  errnos.length === 0 || errnos.includes(name) !== not;

test("a message of CRIU's that a table lists is explained by that entry", () => {
  const listed = Map.groupBy(all, ({ words }) => plainWords(words.text));
  for (const { file, format } of messages) {
    const own = listed
      .get(plainWords(format.replace(/: %m$/, "")))
      ?.filter(({ entry }) => entry.files.includes(file));
    if (own === undefined || own.length === 0) continue;
    for (const errno of ["Operation not permitted", "Bad message"]) {
      const found = find(index(), lineOf(format, errno), { file });
      const texts = [file, format, own.some(({ entry }) => entry === found?.entry)];
      if (own.some(({ words }) => words.errnos.length === 0 || words.not))
        expect(texts).toEqual([file, format, true]);
    }
  }
});
const plainWords = (text: string): string =>
  holesAs(text.replace(/%[-#0-9.*]*(?:l|h|z|j)*[duixXpocs]/g, "*"), "?").replace(/[.!\s]+$/, "");

test("lines that entries are of are explained by their entry, with a cause or as plain, and a remedy", () => {
  for (const entry of entries())
    for (const line of [...entry.like, ...entry.reported]) {
      const found = find(index(), line);
      expect([line, found?.entry.cause]).toEqual([line, entry.cause]);
      const { cause, remedy } = explain(line)!;
      expect([line, cause.length > 10, remedy.length > 4]).toEqual([line, true, true]);
      expect(`${cause} ${remedy}`).not.toMatch(/<\w+>|undefined/);
    }
});

test("what CRIU was seen to say on stages here is explained by its entry; there are enough", () => {
  const said = readFileSync(join(import.meta.dir, "seen.tsv"), "utf8")
    .trimEnd()
    .split("\n");
  const told = new Set<Entry>();
  for (const row of said) {
    const [words, file, message] = row.split("\t") as [string, string, string];
    const found = find(index(), message, { file });
    expect([row, found?.words.text]).toEqual([row, words]);
    told.add(found!.entry);
  }
  expect(told.size).toBeGreaterThanOrEqual(100);
});

test("one pattern with another errno is another cause", () => {
  const cause = (line: string) => explain(line)?.cause;
  const check = (line: string) => explain(line)?.check;
  expect(check("Can't open file dev/tty on restore: No such device or address")).toBe(
    "tty-controlling",
  );
  expect(check("Can't open file dev/tty on restore: No such file or directory")).toBe(
    "file-missing",
  );
  expect(check("fsnotify: Can't add watch for 0x1 with 0x2: No space left on device")).toBe(
    "inotify-limit",
  );
  expect(check("fsnotify: Can't add watch for 0x1 with 0x2: Invalid argument")).toBe("");
  expect(check("can't write lsm profile -2")).toBe("apparmor-profile-missing");
  expect(cause("can't write lsm profile -13")).toContain("a denial");
  expect(check("mnt: Can't mount at ./x: No such file or directory")).toBe("mountpoint-missing");
  expect(check("mnt: Can't mount at ./x: No such device")).toBe("filesystem-unknown");
  expect(cause("File tmp/a.log has bad size 12 (expect 7)")).toContain("has grown");
  expect(cause("File tmp/a.log has bad size 7 (expect 12)")).toContain("is shorter");
  expect(cause("File usr/lib/libc.so.6 has bad size 12 (expect 7)")).toContain("another build");
  // musl has words of its own.
  expect(check("inet: Can't bind inet socket (id 4): Address in use")).toBe("tcp-port-busy");
});

test("what CRIU was doing decides, where it is known", () => {
  const line = "Unable to open core-7.img: No such file or directory";
  const cause = (way?: "dump" | "restore") => explain(line, { file: "criu/image.c", way })?.cause;
  expect(cause("dump")).toContain("could not be made");
  expect(cause("restore")).toContain("there is no image core-7.img");
  expect(cause()).toBe(cause("restore"));
});

test("what is to be removed is looked at first, and nothing of the machine's own goes", () => {
  const removes = /\b(?:remove|delete|may go|can be deleted|rm)\b/;
  const looks =
    /\b(?:ls|find|list|show|cat|findmnt|volume export|podman ps|get pod|ss -|iptables-save)\b|\bwhere nothing uses\b/;
  // What CRIU learned of the kernel is learned again, and a checkpoint of a name is no file of the machine's.
  const harmless =
    /\brm(?:mod| -f)? ?\/run\/criu\.kdat|delete \/run\/criu\.kdat|docker checkpoint rm|--rm\b/;
  let seen = 0;
  for (const { remedy } of entries()) {
    const parts = remedy.split("; ");
    const at = parts.findIndex((part) => removes.test(part) && !harmless.test(part));
    if (at < 0) continue;
    seen += 1;
    const before = parts.slice(0, at + 1).join("; ");
    expect([remedy, before.search(looks) >= 0]).toEqual([remedy, true]);
    expect(remedy).not.toMatch(
      /\b(?:rm|remove|delete) (?:-\w+ )?\/(?:etc|usr|dev|proc|sys|var|home)\b/,
    );
  }
  expect(seen).toBeGreaterThan(10);
  const resolver = "mnt: Can't re-create deleted file /etc/resolv.conf: File exists";
  const { remedy } = explain(resolver, { file: "criu/mount.c" })!;
  expect(remedy).toStartWith("leave /etc/resolv.conf: ");
});

test("what a log names is quoted in the remedy, as people paste it", () => {
  const remedy = (line: string) => explain(line)?.remedy;
  expect(remedy("pidfile: Can't open /run/$(touch${IFS}x): File exists")).toBe(
    "cat '/run/$(touch${IFS}x)', and ps -p that number: a pidfile whose process is gone may go, nothing else; else another --pidfile",
  );
  expect(remedy("pidfile: Can't open -rf: File exists")).toStartWith("cat ./-rf, ");
  expect(remedy('execvp("/a\n;reboot\n", ...) failed: No such file or directory')).toBe(
    "chmod +x SCRIPT, and look at its first line",
  );
  expect(remedy("net: Unable to find an external netns: a;reboot")).toStartWith(
    "--inherit-fd 'fd[N]:a;reboot' with ",
  );
});

test("a hostile line is read in the time of its length", () => {
  const began = performance.now();
  for (const word of [
    "Can't ",
    "a: ",
    "File has bad size (expect ",
    "(",
    "7 7 7 ",
    "unix: Can't bind id ",
  ])
    explain(word.repeat(16_384 / word.length), { loose: true });
  expect(performance.now() - began).toBeLessThan(3000);
});

test("every option that is said to be CRIU's or recriu's own is one; others are named with whose they are", () => {
  const own = new Set([
    ...recriuOptions.map(({ name }) => name),
    ...criuOptions.flatMap(({ name }) => [name, `no-${name}`]),
  ]);
  const others =
    /\b(?:docker|podman|runc|crun|ctr|capsh|unshare|setsid|mount|auditctl|rocm-smi|cuda-checkpoint|kubelet|native\.cgroupdriver|in a container)\b/;
  const unknown = entries().flatMap(({ remedy, files }) =>
    remedy.split("; ").flatMap((part) => {
      const options = Array.from(part.matchAll(/--([a-z][a-z-]+)/g), ([, name]) => name!);
      // Runtimes' entries speak of the runtimes' options.
      return files.length === 0 || others.test(part)
        ? []
        : options.filter((name) => !own.has(name));
    }),
  );
  expect(unknown).toEqual([]);
});
