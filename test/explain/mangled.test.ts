/** What people do to a line of CRIU's before others read it: numbers left out, lines broken, words cut, quotes and marks around. */
import { expect, test } from "bun:test";
import { parseLogLine } from "../../src/criu/index.ts";
import { explain, lettersKnown } from "../../src/explain/index.ts";
import { logReader } from "../../src/explain/log.ts";

const read = (text: string) => {
  const reader = logReader();
  reader.feed(Buffer.from(text));
  return reader.end();
};
const causeOf = (text: string) => {
  const { explanation, said } = read(text);
  return (explanation ?? said)?.cause;
};

const BIND = "unix: Can't bind id 0x4d ino 19 addr /tmp/.X11-unix/X7: No such file or directory";
const CAUSE = "the directory of the socket /tmp/.X11-unix/X7 does not exist";

test("a line without its number, or with a sign for it", () => {
  for (const place of [
    "criu/sk-unix.c",
    "sk-unix.c",
    "criu/sk-unix.c:XXXX",
    "criu/sk-unix.c:NNN",
  ]) {
    const { cause, explanation } = read(`Error (${place}): ${BIND}\n`);
    expect([place, explanation?.cause]).toEqual([place, CAUSE]);
    expect(cause).toMatchObject({ file: place.replace(/:.*/, ""), line: undefined, message: BIND });
  }
  for (const other of [
    "Error (see below): x",
    "Error (below): x",
    "Error (a.c:1:2): x",
    "Error (dir of a.c): x",
  ])
    expect([other, parseLogLine(other)]).toEqual([other, undefined]);
});

test("a line whose beginning was cut off or written anew", () => {
  const number = "criu/sk-unix.c:1401";
  for (const begun of [
    `rror (${number}): `,
    `r (${number}): `,
    `(${number}): `,
    `ERROR: [${number}] `,
    `Error: ${number}: `,
    `Error (${number}) - `,
    `Error (${number}):`,
    `> (00.123456)   1234: (${number}): `,
    `(00.123456)  1234:  Error (${number}): `,
  ]) {
    const { cause, explanation } = read(`${begun}${BIND}\n`);
    expect([begun, cause?.message, explanation?.cause]).toEqual([begun, BIND, CAUSE]);
    expect(cause).toMatchObject({ file: "criu/sk-unix.c", line: 1401 });
  }
  for (const begun of ["iu/sk-unix.c:1401): ", "unix.c:1401): "]) {
    const { cause, explanation } = read(`${begun}${BIND}\n`);
    expect([begun, cause?.file, explanation?.cause]).toEqual([
      begun,
      `…${begun.slice(0, -8)}`,
      CAUSE,
    ]);
  }
  for (const begun of [".c:1401): ", "1): ", "): "]) {
    expect([begun, causeOf(begun + BIND)]).toEqual([begun, CAUSE]);
    expect(read(begun + BIND).cause).toBeUndefined();
  }
  expect(read(`Warn\n(${number}): ${BIND}\n`).cause).toBeUndefined();
  // The end of a quotation of which the beginning is lost.
  for (const end of ["`", "```", '"', "'"])
    expect([end, causeOf(`(${number}): ${BIND}${end}`)]).toEqual([end, CAUSE]);
  // What others say of a source is no error of a run.
  for (const other of [
    "criu/sk-unix.c:1401: error: expected ';'",
    "#1 0x55 at criu/sk-unix.c:1401: x",
    "n  (criu/sk-unix.c:1401): unix: x",
    "see (criu/sk-unix.c:1401): x",
  ])
    expect([other, read(other).cause]).toEqual([other, undefined]);
});

test("a line broken in two or three, behind the mark of a mail or a comment", () => {
  const mount =
    "mnt: Mount 1672 ./sys/fs/cgroup (master_id: 27 shared_id: 710) has unreachable sharing. Try --enable-external-masters.";
  const whole = causeOf(`Error (criu/mount.c:1088): ${mount}\n`);
  expect(whole).toBeDefined();
  for (const mark of ["", "> ", "// ", "# ", " * ", "| "]) {
    const [first, second, third] = [
      mount.slice(0, mount.indexOf("(master_id")).trimEnd(),
      mount.slice(mount.indexOf("(master_id"), mount.indexOf("Try")).trimEnd(),
      mount.slice(mount.indexOf("Try")),
    ];
    const text = `${mark}Error (criu/mount.c:1088): ${first}\n${mark}   ${second}\n${mark}   ${third}\n`;
    expect([text, causeOf(text)]).toEqual([text, whole]);
    const { cause } = read(text);
    expect(cause?.message).toBe(mount);
    // Only what has the mark itself is of the same.
    if (mark.trim() !== "")
      expect(read(text.replaceAll(`\n${mark}`, "\n--- ")).cause?.message).toBe(first);
  }
});

test("words left out at the end: of the source's own a few are enough, of another's most", () => {
  const of = (message: string, file: string) => explain(message, { file })?.cause;
  for (const message of [
    "unix: Can't bind id",
    "unix: Can't bind id …",
    "unix: Can't bind ... (and its name)",
    "unix: Can't bind id 0x4d of my socket",
  ])
    expect([message, of(message, "criu/sk-unix.c")]).toEqual([message, expect.anything()]);
  expect(of("unix: Can't bind id 0x4d of my socket", "criu/pipes.c")).toBeUndefined();
});

test("numbers that people replace by a word", () => {
  const letters = (id: string) =>
    lettersKnown(`Unseizable non-zombie ${id} found, state D, err -1/0`, {});
  for (const id of ["7", "<pid>", "<some-id>", "{pid}", "$pid", "%d", "%#lx", "PID", "N", "XXXX"])
    expect([id, letters(id)]).toEqual([id, letters("7")]);
  expect(letters("7")).toBeGreaterThan(0);
  expect(letters("something")).toBe(0);
});

test("within somebody's words: quoted, in a table, behind a label", () => {
  const message = "Can't bind id 0x4d ino 19 addr /tmp/.X11-unix/X7: No such file or directory";
  for (const text of [
    `What does "${message}" mean?`,
    `| \`${message}\` | the directory is gone |`,
    `Q: ${message}`,
    `Q:${message}`,
    `(00.1) Error (criu/sk-unix.c:1): unix: ${message} | |`,
    `Error (criu/sk-unix.c:1): unix: ${message}, which I have never seen before`,
  ])
    expect([text, causeOf(text)]).toEqual([text, CAUSE]);
});

test("what is not allowed is not mended by a limit", () => {
  const remedy = (errno: string) =>
    explain(`Can't create pipe: ${errno}`, { file: "criu/pipes.c" })?.remedy;
  expect(remedy("Permission denied")).toStartWith("ls -lZ");
  expect(remedy("Permission denied")).toEndWith(remedy("Invalid argument")!);
  expect(remedy("Invalid argument")).not.toContain("ulimit");
  expect(remedy("Too many open files")).toContain("; else ulimit");
  const own = explain("couldn't mount blkio: Permission denied", { file: "criu/cgroup.c" });
  expect(own?.remedy).toStartWith("CAP_SYS_ADMIN");
});

test("CRIU's version in a line of others leaves that line theirs", () => {
  const said = read(
    "Error response from daemon: Cannot checkpoint container 7: Unable to parse the CRIU version: Version: 1.5\n",
  );
  expect(said.version).toBe("1.5");
  expect(said.said?.cause).toContain("does not understand how this CRIU writes its version");
});

test("a test of checkpoints that failed, and CRIU's words in a trace, are about it, though nothing is known", () => {
  for (const text of [
    "--- FAIL: TestCheckpoint (0.49s)\n",
    '[pid 7] write(1023, "pie: Remap 0x7fb7941000->0x7fb7d"..., 51) = 51\n',
  ])
    expect([text, read(text).kind]).toEqual([text, "words"]);
  expect(read("--- FAIL: TestOther (0.49s)\n").kind).toBe("none");
});

test("a warning right before a sign tells its reason, one long before does not", () => {
  const warning = "(00.1) Warn  (criu/autofs.c:77): Failed to find pipe_ino option (old kernel?)\n";
  const sign = "(00.3) Error (criu/files.c:1221): Unable to open fd=6 id=0x4d\n";
  expect(read(warning + sign).explanation?.cause).toContain("autofs");
  expect(read(`${warning}(00.2) more\n${sign}`).explanation).toBeUndefined();
});

test("DMTCP and a build of CRIU are told by what speaks, not as CRIU's", () => {
  const speaker = (text: string) => read(text).speaker?.name;
  expect(speaker("dmtcp_restart: cannot restore checkpoint\n")).toContain("DMTCP");
  expect(causeOf("dmtcp_restart: criu failed: type NOTIFY errno 0\n")).toBeUndefined();
  expect(speaker("gcc -c criu/arch/x86/crtools.c\nmake[2]: *** criu/x.o Error 1\n")).toContain(
    "build",
  );
  expect(speaker("gcc -c other/crtools.c\nmake[2]: *** other/x.o Error 1\n")).toBeUndefined();
});

const TTY = "cannot allocate tty if runc will detach without setting console socket";
const CTR = `ctr: OCI runtime restore failed: ${TTY}: unknown`;

test("what people put around a message of others: a link, quotation marks, HTML's and Jira's", () => {
  const whole = causeOf(CTR);
  expect(whole).toContain("has a terminal");
  for (const [before, behind] of [
    ["Error: `[ctr error](", ")` "],
    ["[error](", ")"],
    ["<pre><code>", "</code></pre>"],
    ['<a href="https://example.com/1">', "</a>"],
    ["{code:java}", "{code}"],
    ["|| ", " ||"],
    ["~~", "~~"],
    ["“", "”."],
    ["«", "»"],
    ["err=> `", "`."],
  ] as const)
    expect([before, causeOf(`${before}${CTR}${behind}\n`)]).toEqual([before, whole]);
  // An address is no message.
  expect(causeOf(`[${CTR}](https://example.com/runc-console-socket)\n`)).toBe(whole!);
});

test("a message that a window broke, anywhere, is the whole one; lines that only follow one another are none", () => {
  const whole = causeOf(CTR);
  for (let at = 20; at < CTR.length - 9; at += 1)
    for (const gap of ["\n", "\n    "]) {
      const text = `${CTR.slice(0, at)}${gap}${CTR.slice(at)}\n`;
      expect([text, causeOf(text)]).toEqual([text, whole]);
    }
  const console = "mnt: 81:./dev/console doesn't have a proper root mount";
  const mount = `(00.001638) Error (criu/mount.c:630): ${console}`;
  const end = "(00.001705) Error (criu/cr-dump.c:1947): Dumping FAILED.\n";
  for (let at = mount.indexOf("81:"); at < mount.length - 2; at += 1)
    for (const gap of ["\n", "      "]) {
      const text = `${mount.slice(0, at)}${gap}${mount.slice(at)}\n${end}`;
      const { cause, explanation } = read(text);
      // Blanks in a path may be its own.
      if (gap !== "\n" && at <= mount.indexOf(" doesn't")) continue;
      expect([text, cause?.message.replace(/ +/g, " ")]).toEqual([text, console]);
      expect(explanation?.cause).toContain("the container has a terminal (run with -t)");
    }
  expect(causeOf("docker checkpoint create web cannot allocate\ntty\n")).toBeUndefined();
});

test("few words that CRIU has, too, in the midst of others', are not its own", () => {
  const busy = "failed to umount /x/rootfs: device or resource busy";
  expect(causeOf(`${CTR}\n${busy}\n`)).toBe(causeOf(CTR)!);
});

test("an error that a paste ends in the name of its source is told by that source, where nothing else is", () => {
  const collecting = "(00.006797) Collecting mappings (pid: 59051)\n";
  const { lead, cause } = read(`${collecting}(00.006867) Error (criu/files-reg.c:13\n`);
  expect(cause).toBeUndefined();
  expect(lead?.about).toContain("open files");
  expect(read(`${collecting}(00.006867) Error (criu/files-reg.c:1351): ${BIND}\n`).lead).toBe(
    undefined,
  );
});

test("a line that ends in the middle is told by the words that begin so, where all that do say the same", () => {
  const of = (message: string) => read(`(00.36) Error (criu/cr-restore.c:1230): ${message}`);
  for (const message of ["12 killed by", "12 killed by sig", "12 killed by signa"]) {
    const { cause, explanation } = of(message);
    expect([message, cause?.message]).toEqual([message, message]);
    expect(explanation?.cause).toContain("by which, was cut off");
    expect(explanation?.like).toBe("… killed by signal");
  }
  // Nothing of it is lost but the number, or the second digit of one.
  expect(of("12 killed by signal").explanation?.cause).toContain("by which, was cut off");
  expect(of("12 killed by signal 1").explanation?.cause).toContain("11 is a crash");
  expect(of("12 exited, sta").explanation?.cause).toContain("with which status, was cut off");
  // Where something stands before it, it comes of that.
  const behind = "(00.35) Error (criu/files.c:1): Can't fork for 12: File exists\n";
  expect(read(`${behind}(00.36) Error (criu/cr-restore.c:1230): 12 killed by`).cause?.file).toBe(
    "criu/files.c",
  );
  // The end that CRIU tells of itself is none.
  for (const end of ["Restoring F", "Restoring FAI"])
    expect([end, of(end).cause, of(end).ended]).toEqual([end, undefined, "badly"]);
  expect(of("Restoring FILE").ended).toBeUndefined();
  expect(of("Can't for").explanation).toMatchObject({ like: "Can't fork for …" });
  // Several of that source begin so.
  expect(of("Can't ").explanation).toBeUndefined();
  expect(of("Can't ").lead?.look).not.toContain("isolate=pid");
  const docker = (end: string) =>
    read(`$ docker start --checkpoint cp1 c\nHandler for POST /start returned error: ${end}`).said;
  expect(docker("failed to retrieve OC")?.cause).toContain("number of the restored first process");
  expect(docker("failed to re")).toBeUndefined();
  // A whole word at the end may be all that was said.
  expect(docker("failed to retrieve OCI runtime")).toBeUndefined();
});

test("of an errno that is cut off the one is told that an entry of these words has, where that is one alone", () => {
  const of = (message: string) => explain(message, { file: "criu/cr-restore.c" });
  const whole = of("Can't fork for 7: File exists")?.cause;
  expect(of("Can't fork for 7: Fil")).toMatchObject({
    cause: whole,
    like: "Can't fork for …: File exists",
  });
  // No space left, No such file, No such process: one of them has an entry, others may be it as well; so may not supported be.
  for (const cut of ["No s", "Operation not"])
    expect(of(`Can't fork for 7: ${cut}`)).toMatchObject({
      cause: of("Can't fork for 7: No such device")?.cause,
      like: undefined,
    });
  expect(of("Can't fork for 7: File exists")?.like).toBeUndefined();
  expect(of("Can't fork for 7: Re")?.cause).not.toBe(whole);
});
