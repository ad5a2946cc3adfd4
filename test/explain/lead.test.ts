/** Of what no entry has: what it is about, what its errno means and where to look; never told as a cause, and not beside one. */
import { expect, test } from "bun:test";
import { earlier, messages } from "../../scripts/explained.ts";
import { catalogue } from "../../src/checks/index.ts";
import { criuOptions } from "../../src/criu/options.ts";
import { leadOf } from "../../src/explain/lead.ts";
import { subjectOfSource, subjects } from "../../src/explain/subjects.ts";
import { read, told as toldOf } from "./reading.ts";

test("every source of CRIU's, of 1.8 to 4.2, has a subject, also by its name alone", () => {
  const sources = new Set([...messages, ...earlier].map(({ file }) => file));
  expect(sources.size).toBeGreaterThan(100);
  for (const file of sources) {
    expect([file, subjectOfSource(file)?.about]).toEqual([file, expect.any(String)]);
    const bare = /^criu\/([^/]+)$/.exec(file)?.[1] ?? file;
    expect([bare, subjectOfSource(bare)]).not.toEqual([bare, undefined]);
  }
});

test("a subject says what it is about and where to look; its checks and options exist", () => {
  const checks = new Set(catalogue.map(({ id }) => id as string));
  const options = new Set(criuOptions.map(({ name }) => name));
  const others =
    /^(?:get-state|pid|print|isolate|version|help|privileged|security-opt|all|toggle|feature|list)$/;
  for (const { sources, about, look, checks: ids, prefixes, words } of subjects()) {
    expect([sources, about?.length, look.length]).toEqual([
      sources,
      expect.any(Number),
      expect.any(Number),
    ]);
    expect(about.length > 5 && look.length > 10).toBe(true);
    for (const id of ids) expect([id, checks.has(id)]).toEqual([id, true]);
    for (const [, name] of look.matchAll(/(?<!\w)--([a-z][a-z-]+)/g))
      if (!others.test(name!)) expect([look, name, options.has(name!)]).toEqual([look, name, true]);
    for (const prefix of prefixes) expect(prefix).toMatch(/^[\w-]+: $/);
    for (const word of words) expect(word).toBe(word.trim());
  }
  const claimed = subjects().flatMap(({ words }) => words);
  expect(new Set(claimed).size).toBe(claimed.length);
});

test("of an unknown line of CRIU's its source and its errno are told, as where to look", () => {
  const text =
    "(00.1) 7: Error (criu/sk-unix.c:9999): unix: Frobnication of tomorrow has gone astray: No space left on device";
  const { explanation, lead } = read(text);
  expect(explanation).toBeUndefined();
  expect(lead?.about).toContain("unix sockets");
  expect(lead?.because).toStartWith("ENOSPC: ");
  expect(lead?.look).toContain("df -h");
  expect(lead?.checks).toContain("unix-socket-dir");
  const told = toldOf(text);
  expect(told).toContain("nothing is known of that error");
  expect(told).toContain("no cause is known; where to look");
  expect(told).toContain("recriu preflight -D DIR --only=unix-socket-dir,");
  expect(told).not.toContain("  remedy");
});

test("what the kernel was asked, as Go, Python, strace, Rust and C write it", () => {
  for (const [text, because, look] of [
    [
      "checkpoint: open /run/x y/z: mkdir /run/x: permission denied",
      "mkdir /run/x: EACCES",
      "namei -l /run/x",
    ],
    [
      "criu agent: PermissionError: [Errno 13] Permission denied: '/var/lib/a b'",
      "EACCES",
      "namei -l '/var/lib/a b'",
    ],
    ["1217 read(0, 0x7fff, 1)   = -1 EIO (Input/output error)", "read: EIO", "tpgid"],
    ["criu: cannot: No such file or directory (os error 2)", "ENOENT", ""],
    ["criu said: failed, errno: 28", "ENOSPC", "df -h"],
    [
      "dial unix /run/criu.socket: connect: connection refused",
      "dial unix /run/criu.socket: ECONNREFUSED",
      "namei -l /run/criu.socket",
    ],
  ] as const) {
    const lead = leadOf(text);
    expect([text, lead?.because]).toEqual([text, expect.stringContaining(because)]);
    expect([text, lead?.look]).toEqual([text, expect.stringContaining(look)]);
  }
});

test("a name of another's is one word of a command, or none", () => {
  expect(leadOf("open /x;rm: no such file or directory")?.look).toBe("namei -l '/x;rm'");
  expect(leadOf("[Errno 2] No such file or directory: '/a\u001b[2J'")?.look ?? "").not.toContain(
    "\u001b",
  );
});

test("others' words about a checkpoint: their subject by words, and no lead beside a cause, of a build, or of what is not about one", () => {
  expect(read("the checkpoint failed in the seccomp thing").lead?.about).toContain("system calls");
  for (const text of [
    "unix: Can't bind id 0x4d ino 1 addr /tmp/.X11-unix/X7: No such file or directory",
    "criu/pie/restorer.c:355:21: error: expected ')' before 'PRIx64'",
    "make[1]: *** [criu/pie/restorer.o] Error 1",
    "bash: /etc/shadow: Permission denied",
  ])
    expect([text, read(text).lead]).toEqual([text, undefined]);
});
