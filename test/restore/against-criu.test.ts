/**
 * recriu and the real CRIU agree on which words are a mistake. In an empty directory CRIU always fails; a usage error
 * comes before it opens the images, everything else after.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requestFrom } from "../../src/criu/index.ts";
import { criu } from "./stage.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "recriu-against-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

type Answer = "accepted" | "refused" | "help" | "version";

function criuSays(words: string[], env: Record<string, string>): Answer {
  const { stdout, stderr } = Bun.spawnSync([criu, "restore", ...words], { cwd: dir, env });
  const text = `${stdout}\n${stderr}`;
  if (text.includes("Dump/Restore options:")) return "help";
  if (/^Version: /m.test(String(stdout))) return "version";
  // The first image it misses.
  return text.includes("empty-image") || text.includes("inventory") ? "accepted" : "refused";
}

function recriuSays(words: string[], env: Record<string, string>): Answer {
  const result = requestFrom(words, env, []);
  return result.ok ? "accepted" : (result.asked ?? "refused");
}

const lines = [
  "",
  "-v4",
  "-vvvv",
  "-dj",
  "-D.",
  "-dD .",
  "--images-dir=.",
  "--imag .",
  "--tcp",
  "--tcp-c",
  "--no-tcp-close",
  "--no-root x",
  "--tcp-close=1",
  "--manage-cgroups ignore",
  "--manage-cgroups=ignore",
  "--manage-cgroups=soff",
  "-q",
  "--bogus",
  "-D",
  "-t 0",
  "-t 5",
  "-x0",
  "-x1,2",
  "-x1,b",
  "-S",
  "-dS",
  "-M k",
  "-M k:/",
  "-M auto",
  "--veth-pair a",
  "--veth-pair a=b",
  "--external mnt[]:x",
  "--external mnt[]:m",
  "--external mnt[]",
  "--empty-ns pid",
  "--empty-ns net",
  "--cpu-cap=avx",
  "--cpu-cap=none",
  "--cpu-cap=^fpu,none",
  "--file-validation md5",
  "--file-validation filesize",
  "--network-lock ebpf",
  "--network-lock none",
  "--status-fd x",
  "--inherit-fd fd[1]:x",
  "--inherit-fd fd[1]",
  "--inherit-fd 1:x",
  "-J pid:1",
  "-J net:1",
  "-J net:1 --empty-ns net",
  "--exec-cmd",
  "--exec-cmd -- true",
  "-d --exec-cmd -- true",
  "--daemon --no-daemon --exec-cmd -- true",
  "--ms",
  "extra",
  "-- extra",
  "--",
  "-",
  "--help --bogus",
  "-V",
  "--config bad.conf",
  "--config good.conf",
  "--config quote.conf",
  "--config long.conf",
  "--conf bad.conf",
  "--config none.conf",
];

test.each(lines)("restore %s", (line) => {
  const words = line === "" ? [] : line.split(" ");
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: dir };
  writeFileSync(join(dir, "bad.conf"), "bogus\n");
  writeFileSync(join(dir, "good.conf"), 'tcp-close # c\nverbosity 4\nlog-file "-"\n');
  writeFileSync(join(dir, "quote.conf"), 'work-dir "/tmp\n');
  writeFileSync(join(dir, "long.conf"), 'lsm-profile "selinux:aaaaaaaaaaaa bbb"\n');
  const before = process.cwd();
  process.chdir(dir);
  try {
    expect(recriuSays(words, env)).toBe(criuSays(words, env));
  } finally {
    process.chdir(before);
  }
});
