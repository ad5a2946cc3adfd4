/** Every check has a proof and a test. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { answersOf, catalogue, policyOf } from "../../src/checks/index.ts";
import { proofs } from "./proofs.ts";

const root = join(import.meta.dir, "../..");

test("ids are kebab-case and no two are the same", () => {
  const ids = catalogue.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id))).toEqual([]);
});

test("every check says what, why and what it reads", () => {
  for (const { id, title, why, reads } of catalogue) {
    expect([id, title.length > 10, why.length > 60, reads.length > 10]).toEqual([
      id,
      true,
      true,
      true,
    ]);
  }
});

test("nothing is left of the stubs that scripts/new-check writes", () => {
  const capitals = /\b[A-Z]{2,}(?: [A-Z]{2,}){2,}\b/g;
  const stubs = readFileSync(join(root, "scripts/new-check"), "utf8").match(capitals)!;
  expect(stubs).toContain("WHAT CRIU SAYS");
  const left = ["src/checks", "src/explain/entries", "test/restore"].flatMap((dir) =>
    (readdirSync(join(root, dir), { recursive: true }) as string[])
      .filter((file) => /\.(?:ts|txt)$/.test(file))
      .filter((file) => {
        const text = readFileSync(join(root, dir, file), "utf8");
        return stubs.some((words) => text.includes(words));
      }),
  );
  expect(left).toEqual([]);
});

/** Checks that a story of several tells, by the file of test/ that has it. */
const elsewhere: Readonly<Record<string, string>> = {
  "bundle-root": "restore/bundle.test.ts",
  "cgroup-owner": "restore/attack-cgroups.test.ts",
  "join-ns-missing": "restore/inet.test.ts",
  "locks-ignored": "restore/files/locks-held.test.ts",
  "net-device-missing": "restore/inet.test.ts",
  "ping-group-range": "restore/inet.test.ts",
  "sigactions-count": "restore/kernel/arch-mismatch.test.ts",
  "tcp-connection-busy": "restore/inet.test.ts",
  "tcp-stream-missing": "restore/inet.test.ts",
  "timerfd-expired": "restore/open-files.test.ts",
  "tty-stdin": "restore/tree/tty-shell-job.test.ts",
  "udp-port-busy": "restore/inet.test.ts",
  "untrusted-root": "restore/untrusted/untrusted-images.test.ts",
  "writable-by-others": "restore/others.test.ts",
};

test("a check's test is found by its name, on CRIU in test/restore, without it in test/checks", () => {
  const lost = catalogue.filter(
    ({ id, group }) =>
      !(id in elsewhere) &&
      !["restore", "checks"].some((room) =>
        existsSync(join(root, `test/${room}/${group}/${id}.test.ts`)),
      ),
  );
  expect(lost.map(({ id }) => id)).toEqual([]);
  for (const file of Object.values(elsewhere))
    expect(existsSync(join(root, "test", file))).toBe(true);
});

test("what is said to be proven on CRIU is named by a test in which CRIU runs alone, too", () => {
  const unproved = catalogue.filter(
    ({ id, proof }) => proof !== "images" && !proofs.some((text) => text.includes(`"${id}"`)),
  );
  expect(unproved.map(({ id }) => id)).toEqual([]);
});

test("of every option that a finding names it is decided whether recriu adds it", () => {
  const dir = join(root, "src/checks");
  const named = (readdirSync(dir, { recursive: true }) as string[])
    .filter((file) => file.endsWith(".ts") && file !== "options.ts")
    .flatMap((file) => [
      ...readFileSync(join(dir, file), "utf8").matchAll(/option: ["`](--[^"`]+)/g),
    ])
    .map((match) => match[1]!);
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((option) => policyOf(option) === undefined)).toEqual([]);
});

test("of every check its own words, or those of what it shares, say whether it can block", () => {
  const dir = join(root, "src/checks");
  const says = (path: string) => readFileSync(path, "utf8").includes('"blocker"');
  const wrong = catalogue.filter(({ id, group, blocks }) => {
    const own = join(dir, group, `${id}.ts`);
    const shared = [...readFileSync(own, "utf8").matchAll(/from "(\.\/[a-z-]+\.ts)"/g)].map(
      ([, path]) => join(dir, group, path!),
    );
    return blocks === false ? says(own) : !says(own) && !shared.some(says);
  });
  expect(wrong.map(({ id }) => id)).toEqual([]);
});

test("of the checks that can block recriu answers 70 or more by itself", () => {
  const person = new Set(["choice", "person"]);
  const answered = catalogue.filter(
    (check) => check.blocks !== false && answersOf(check).some((kind) => !person.has(kind)),
  );
  expect(answered.length).toBeGreaterThanOrEqual(70);
});

test("a check is answered by what its own words offer, as docs/checks.md says", () => {
  const undeclared = catalogue.flatMap((check) => {
    const source = readFileSync(join(root, "src/checks", check.group, `${check.id}.ts`), "utf8");
    const offered = [...source.matchAll(/kind: "(repair|edit|option|variable)"/g)].map(
      ([, kind]) => kind!,
    );
    if (source.includes("raised(")) offered.push("host");
    const said = answersOf(check).map((kind) => (kind === "choice" ? "option" : kind)) as string[];
    return offered.filter((kind) => !said.includes(kind)).map((kind) => `${check.id}: ${kind}`);
  });
  expect(undeclared).toEqual([]);
});
