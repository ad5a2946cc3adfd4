/** Several runs in one paste, and what failed outside of CRIU's lines: a check, a helper, a command that was not understood. */
import { expect, test } from "bun:test";
import { read, told } from "./reading.ts";

const lack = "Error (criu/cr-check.c:1037): UFFD is not supported\n";
const good = `${lack}Looks good but some kernel features are missing\n`;
const failed =
  "(00.4) Error (criu/sk-unix.c:801): sk unix: Can't dump half of stream unix connection.\n";

test("a check that did not fail decides nothing beside a dump that did, before it, behind it, or without a verdict", () => {
  for (const text of [`${failed}${good}`, `${good}${failed}`, `${failed}${lack}`]) {
    const report = read(text);
    expect([text, report.cause?.message]).toEqual([
      text,
      expect.stringContaining("half of stream"),
    ]);
    expect([text, report.succeeded]).toEqual([text, false]);
    const lines = told(text).split("\n");
    expect(lines.filter((line) => line.includes("UFFD"))).toEqual([
      expect.stringMatching(/^a check is in it, too, wh.*and says: UFFD is not supported$/),
    ]);
  }
  expect(read(good).succeeded).toBe(true);
});

test("that no cause is known is said of a failure beside a good check, and not behind a cause", () => {
  const asked = "all programs which use unix domain sockets fail to make a dump\n";
  const before =
    "(00.1) Warn  (criu/sk-unix.c:801): unix: Can't dump half of stream unix connection.\n";
  const end = "(00.2) Error (criu/cr-dump.c:1764): Dumping FAILED.\n";
  expect(told(`${asked}${good}`)).toContain("no cause is known");
  for (const text of [`${asked}${failed}${good}`, `${asked}${before}${end}`])
    expect([text, told(text)]).toEqual([text, expect.not.stringContaining("no cause is known")]);
});

test("a check that failed is told whole, and errors of another source before its own are of it", () => {
  const bad =
    "Error (criu/cr-check.c:770): Kernel doesn't support PTRACE_O_SUSPEND_SECCOMP\nDoes not look good\n";
  expect(told(`${failed}${bad}`)).toContain("SUSPEND_SECCOMP");
  const mounts = "Error (criu/mount.c:1941): mnt: Can't parse 0's mountinfo\n";
  const report = read(`${mounts}${bad}`);
  expect([report.way, report.others.length]).toEqual(["check", 0]);
});

test("what others say behind a good check, or before its command, is the failure", () => {
  const rule = "line 3: RULE_INSERT failed (No such file or directory): rule in chain INPUT\n";
  const behind = read(`${good}Run criu dump\n${rule}`);
  expect([behind.succeeded, behind.way, behind.said?.cause]).toEqual([
    false,
    "dump",
    expect.stringContaining("iptables of the nft kind"),
  ]);
  for (const text of [`${good}${rule}`, `${rule}$ criu check --all\n${good}`]) {
    expect([text, read(text).said?.cause]).toEqual([text, expect.stringContaining("nft kind")]);
    expect([text, read(text).succeeded]).toEqual([text, false]);
  }
});

const tar = (words: string) =>
  `(00.1) Dumping tmpfs\n${words}\n(00.2) Error (criu/util.c:641): exited, status=1\n(00.3) Error (criu/filesystems.c:426): Can't dump tmpfs content\n`;

test("a tar's own words decide, and without them no missing one is made of it", () => {
  for (const [words, means] of [
    ["tar: unrecognized option: no-unquote\nBusyBox v1.36.1 multi-call binary.", "not GNU's"],
    ["tar: ./a/b: file changed as we read it", "was written to while tar packed it"],
    [
      'Error (criu/util.c:641): execvp("tar", ...) failed: No such file or directory',
      "no tar where",
    ],
    ["(00.15) Error (criu/util.c:600): something else", "Were it missing"],
  ] as const)
    expect([words, told(tar(words))]).toEqual([words, expect.stringContaining(means)]);
});

test("what ip says of itself decides of a network that could not be set up", () => {
  for (const [words, means] of [
    ["RTNETLINK answers: File exists", "is there already"],
    ['Cannot find device "eth0"', "its device is missing"],
    ["RTNETLINK answers: Permission denied", "disable_ipv6"],
  ] as const) {
    const log = `(00.1) Running\n${words}\n(00.2) Error (criu/util.c:641): exited, status=2\n(00.3) Error (criu/net.c:1568): net: IP tool failed on addr restore\n`;
    expect([words, told(log)]).toEqual([words, expect.stringContaining(means)]);
  }
});

test("an option that crun does not know is crun's, and CRIU's own is CRIU's", () => {
  const words = "unrecognized option '--tcp-establishd'\n";
  expect(read(`crun: ${words}`).said?.cause).toStartWith("crun has no option");
  expect(read(`criu: ${words}`).said?.cause).toContain("another CRIU");
  expect(read("criu: option '--tree' requires an argument\n").said?.by).toBe("criu");
});

test("a command that a runtime did not understand is told beside CRIU's own error", () => {
  const own = "Error (criu/image.c:566): Can't open dir checkpoint: No such file or directory\n";
  for (const [usage, means] of [
    [
      'Incorrect Usage: invalid value "/tmp/cp" for flag -status-fd: parse error',
      "open descriptor",
    ],
    ["Incorrect Usage: flag needs an argument: -work-path", "without its value"],
    ["Error: unknown flag: --tcp-estblished", "has no option"],
  ] as const) {
    const text = told(`$ runc checkpoint looper\n${usage}\n${own}`);
    expect([usage, text]).toEqual([usage, expect.stringContaining(means)]);
    expect([usage, text]).toEqual([usage, expect.stringContaining("no images directory")]);
  }
});

test("iptables-restore's words as CRIU tidies up are no cause, where it locks they lead to one", () => {
  const words = "iptables-restore: invalid option -- 'w'\niptables-restore: line 3 failed\n";
  const end = "(00.1) Error (criu/util.c:764): exited, status=1\n";
  const tidied = read(`${words}${end}(00.2) Error (criu/cr-dump.c:1819): Dumping FAILED.\n`);
  expect([tidied.cause, tidied.said]).toEqual([undefined, undefined]);
  const locked = read(
    `${words}${end}(00.2) Error (criu/net.c:2020): Locking network failed: iptables-restore returned -1. This may be connected to disabled CONFIG_NETFILTER_XT_MARK kernel build config option.\n`,
  );
  expect(locked.cause?.message).toStartWith("Locking network failed");
});

test("of a Podman in a machine of its own the machine is made root's", () => {
  const line =
    "Error: `/usr/bin/crun checkpoint --image-path /home/user/a/checkpoint --work-path /home/user/a 9374a9f4` failed: exit status 1";
  expect(told(`PS C:\\> podman machine list\n${line}\n`)).toContain("set --rootful");
  expect(told(`${line}\n`)).not.toContain("--rootful");
});
