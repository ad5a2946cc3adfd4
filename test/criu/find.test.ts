import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareVersions, findCriu, identify, startRefusal } from "../../src/criu/index.ts";
import { parseVersion } from "../../src/criu/version.ts";

let dir: string;

/** A directory of the given name with a program `criu` in it. */
function program(name: string, text: string, file = "criu"): string {
  mkdirSync(join(dir, name), { recursive: true });
  const path = join(dir, name, file);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "recriu-find-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe("finding CRIU", () => {
  test("in PATH's order, past what is no program", () => {
    const first = program("a", "exit 0");
    program("b", "exit 0");
    mkdirSync(join(dir, "folder/criu"), { recursive: true });
    chmodSync(program("plain", "exit 0"), 0o644);
    const PATH = ["folder", "plain", "nowhere", "a", "b"].map((name) => join(dir, name)).join(":");
    expect(findCriu(undefined, { PATH })).toEqual({ ok: true, path: first });
  });

  test("past recriu itself, linked or copied under CRIU's name", () => {
    const real = program("real", "exit 0");
    mkdirSync(join(dir, "linked"));
    symlinkSync(process.execPath, join(dir, "linked/criu"));
    // A copy: as large as the runtime, with its section's name near the end.
    const copy = program("copied", "exit 0");
    truncateSync(copy, 90 * 1024 * 1024);
    appendFileSync(copy, "\0.shstrtab\0.bun\0.data\0");
    const PATH = ["linked", "copied", "real"].map((name) => join(dir, name)).join(":");
    expect(findCriu(undefined, { PATH })).toEqual({ ok: true, path: real });
    expect(findCriu(join(dir, "linked/criu"), {})).toMatchObject({
      ok: false,
      problem: expect.stringContaining("recriu itself"),
    });
  });

  test("never through a relative entry of PATH", () => {
    program("rel", "exit 0", "criu-of-this-test");
    const found = findCriu("criu-of-this-test", { PATH: `.::rel:${join(dir, "none")}` });
    expect(found).toMatchObject({ ok: false });
    expect(!found.ok && found.looked.every((path) => path.startsWith("/"))).toBe(true);
  });

  test("past what others can change, with a word; what is named is the caller's word", () => {
    const real = program("safe", "exit 0", "criu-of-this-test");
    const weak = program("weak", "exit 0", "criu-of-this-test");
    chownSync(weak, 1000, 1000);
    const open = program("open", "exit 0", "criu-of-this-test");
    chmodSync(join(dir, "open"), 0o777);
    const passed = [
      `${weak} is passed over: ${weak} belongs to uid 1000`,
      `${open} is passed over: ${join(dir, "open")} can be written to by others than its owner (mode 0777)`,
    ];
    const PATH = (...names: string[]) => names.map((name) => join(dir, name)).join(":");
    expect(findCriu("criu-of-this-test", { PATH: PATH("weak", "open", "safe") })).toEqual({
      ok: true,
      path: real,
      passed,
    });
    expect(findCriu("criu-of-this-test", { PATH: PATH("weak", "open") })).toMatchObject({
      ok: false,
      passed,
      problem: expect.stringContaining(passed[1]!),
    });
    expect(findCriu(weak, { PATH: "" })).toEqual({ ok: true, path: weak });
  });

  test("a named one is taken or nothing", () => {
    const named = program("named", "exit 0", "criu-4.2");
    expect(findCriu(named, { PATH: "" })).toEqual({ ok: true, path: named });
    expect(findCriu("criu-4.2", { PATH: join(dir, "named") })).toEqual({ ok: true, path: named });
    expect(findCriu(join(dir, "missing"), { PATH: join(dir, "a") })).toEqual({
      ok: false,
      problem: `${join(dir, "missing")} does not exist`,
      looked: [join(dir, "missing")],
    });
    expect(findCriu(dir, {})).toMatchObject({ problem: `${dir} is no file` });
  });

  test("nowhere: says where it looked", () => {
    const found = findCriu("criu-of-no-machine", { PATH: join(dir, "none") });
    expect(found).toMatchObject({ ok: false, problem: expect.stringContaining(join(dir, "none")) });
    expect(!found.ok && found.looked).toContain("/usr/sbin/criu-of-no-machine");
  });
});

describe("which CRIU it is", () => {
  test("its version", async () => {
    expect(parseVersion("Version: 4.1.1\nGitID: v4.1.1-2-gabc\n")).toBe("4.1.1");
    expect(parseVersion("criu 4")).toBeUndefined();
    const answers = program(
      "v",
      '[ "$1 $2" = "--version --no-default-config" ] && echo "Version: 3.19"',
    );
    expect(await identify(answers)).toEqual({ version: "3.19", problem: undefined });
    expect(await identify(program("broken", "echo Version: 9; exit 1"))).toEqual({
      version: undefined,
      problem: "it exits with 1",
    });
    expect((await identify(join(dir, "missing"))).problem).toContain("is not there");
  });

  test("older and newer", () => {
    const order = ["3.17", "3.17.1", "3.18", "3.19", "4.0", "4.1", "4.1.1", "4.2", "4.10"];
    for (const [i, a] of order.entries()) {
      for (const [j, b] of order.entries()) {
        expect([a, b, Math.sign(compareVersions(a, b))]).toEqual([a, b, Math.sign(i - j)]);
      }
    }
    expect(compareVersions("4.0", "4.0.0")).toBe(0);
    expect(compareVersions("4.0-rc1", "4.0")).toBe(0);
  });

  test("why it cannot start", () => {
    const refuses = program(
      "refuses",
      'echo "Error (criu/vdso.c:1): vdso: Unexpected rt vDSO area bounds" >&2; exit 1',
    );
    const refused = (line: string) => ({ kind: "refused" as const, line });
    expect(startRefusal(refuses)).toEqual(refused("vdso: Unexpected rt vDSO area bounds"));
    const words = program("words", "echo needs CAP_SYS_ADMIN; exit 1");
    expect(startRefusal(words)).toEqual(refused("needs CAP_SYS_ADMIN"));
    expect(startRefusal(program("starts", "exit 0"))).toEqual({ kind: "none" });
    expect(startRefusal(join(dir, "missing"))).toEqual(refused("it cannot be started"));
  });
});
