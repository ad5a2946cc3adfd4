/**
 * What real CRIU says of images that do not go together, of options that do not fit, and of dumps that cannot be: `recriu
 * explain` tells it by the entry of that very line. One dumped tree, one thing changed a case.
 */
import { copyOf, startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorLines } from "../../src/criu/log.ts";
import { causeLine } from "../../src/criu/worth.ts";
import { index } from "../../src/explain/entries/index.ts";
import { find } from "../../src/explain/find.ts";
import { edit } from "./edit.ts";
import { killTree, openStage, restoreBare } from "./stage.ts";

/** What is changed, in which image, and CRIU's words as the table has them. */
type Case = readonly [words: string, file: string, change: (values: any[]) => void];

const NOBODY = 4_000_001;

const cases = (pid: number): Case[] => {
  const core = `core-${pid}.img`;
  const mm = `mm-${pid}.img`;
  const ids = `ids-${pid}.img`;
  const fs = `fs-${pid}.img`;
  const pagemap = `pagemap-${pid}.img`;
  const log = (files: any[]) => files.find(({ reg }) => reg?.name.endsWith("/log")).reg;
  const socket = (files: any[]) => files.find(({ usk }) => usk !== undefined).usk;
  const watch = (files: any[]) => files.find(({ ify }) => ify !== undefined).ify.wd[0];
  const thread = (values: any[]) => values[0].thread_core;
  return [
    ["Not supported images version <#version>", "inventory.img", ([v]) => (v.img_version = 99)],
    ["cg: No set <set> found", "inventory.img", ([v]) => (v.root_cg_set = 77)],
    ["Can't find a parent for <#pid>", "pstree.img", ([v]) => (v.ppid = 77)],
    ["No IDS for root task.", "pstree.img", ([v]) => (v.pid = NOBODY)],
    ["Can't set kernel pid_max=<value>", "pstree.img", ([v]) => (v.pid = 2_000_000_000)],
    ["Can't mmap section for restore code", "pstree.img", ([v]) => (v.threads = [])],
    ["Unexpected EOF on (empty-image)", "pstree.img", ([v]) => v.threads.push(NOBODY)],
    ["Core march mismatch <#type>", core, ([v]) => (v.mtype = 2)],
    ["Unknown task state #", core, ([v]) => (v.tc.task_state = 77)],
    ["Failed to recover futex robust list: #", core, (v) => (thread(v).futex_rla_len = 77)],
    [
      "Inconsistent sched params received (<#policy>.<#nice>.<#priority>)",
      core,
      (v) => (thread(v).sched_policy = 77),
    ],
    ["Unable to set PR_SET_SECUREBITS: <#errno>", core, (v) => (thread(v).creds.secbits = 0xff00)],
    [
      "Can't setgroups([# gids]): <#errno>",
      core,
      (v) => (thread(v).creds.groups = Array.from({ length: 70_000 }, (_, at) => at)),
    ],
    [
      "can't render profile <name> for lsmtype #",
      core,
      (v) => (thread(v).creds.lsm_profile = "user:role:type:level"),
    ],
    [
      "seccomp: Corrupted filter index on tid <#tid> (# > #)",
      core,
      (v) => Object.assign(thread(v), { seccomp_mode: 2, seccomp_filter: 5 }),
    ],
    ["seccomp: Unknown seccomp mode # on tid #", core, (v) => (thread(v).seccomp_mode = 9)],
    ["Invalid timer value", core, ([v]) => (v.tc.timers.real.vusec = 5_000_000n)],
    ["Pdeath signal is too big", core, (v) => (thread(v).pdeath_sig = 99)],
    [
      "Bad number of sigactions in the image (<#count>, want <#wanted>)",
      core,
      ([v]) => v.tc.sigactions.push(...v.tc.sigactions),
    ],
    ["Empty list on file desc id #(#)", ids, ([v]) => (v.files_id = 99)],
    ["mnt: No root found for tree", ids, ([v]) => (v.mnt_ns_id = 99)],
    ["sockets: Unable to find a network namespace", ids, ([v]) => (v.net_ns_id = 99)],
    ["Can't restore pid namespace without the process init", ids, ([v]) => (v.pid_ns_id = 99)],
    ["No entry for reg-file-ID #", fs, ([v]) => (v.cwd_id = 999)],
    ["Can't change cwd", fs, ([v]) => (v.cwd_id = 3)],
    ["No file for fd <#fd> id <id>", "fdinfo-2.img", ([v]) => (v.id = 999)],
    ["Too big FD number to restore <#fd>", "fdinfo-2.img", ([, , , v]) => (v.fd = 900_000_000)],
    [
      "File <path> has bad size <#size> (expect <#expected>)",
      "files.img",
      (v) => (log(v).size = 5n),
    ],
    [
      "File <path> has bad mode <mode> (expect <expected>)",
      "files.img",
      (v) => (log(v).mode = 0o100777),
    ],
    ["Can't restore file pos", "files.img", (v) => (log(v).pos = 1n << 63n)],
    [
      "Can't setup <#pid> file owner pid",
      "files.img",
      (v) => Object.assign(log(v).fown, { pid: NOBODY, pid_type: 1 }),
    ],
    ["Can't set signal", "files.img", (v) => (log(v).fown.signum = 99)],
    ["Can't open file <path> on restore", "files.img", (v) => (log(v).name = "nonexistent/log")],
    ["unix: Can't make unix socket", "files.img", (v) => (socket(v).type = 77)],
    ["unix: FATAL: Peer # unresolved for #", "files.img", (v) => (socket(v).peer = 99_999)],
    [
      "unix: Can't bind id <id> ino # addr <path>",
      "files.img",
      (v) => (socket(v).name = Buffer.from("/nonexistent/socket\0")),
    ],
    ["fsnotify: Can't add watch for 0x# with 0x#", "files.img", (v) => (watch(v).mask = 0)],
    ["prctl failed @# with -1", mm, ([v]) => (v.mm_brk = 1n)],
    ["Image corrupted on pid #", mm, ([v]) => (v.mm_saved_auxv = Array(200).fill(7n))],
    ["VMA-s are not sorted in the image file", mm, ([v]) => (v.vmas = v.vmas.toReversed())],
    ["Can't restore # mapping with <#errno>", mm, ([v]) => (v.vmas[0].flags = 0x77)],
    ["Trying to restore page for non-private VMA", mm, ([v]) => (v.vmas[3].status = 0x1001)],
    ["Unable to reserve memory (# bytes)", mm, ([v]) => (v.vmas = [])],
    ["Can not set flock!", "filelocks.img", ([v]) => (v.fd = 77)],
    ["Unknown flock type!", "filelocks.img", ([v]) => (v.type = 77)],
    ["Remap for non existing file #", "remap-fpath.img", ([v]) => (v.orig_id = 7777)],
    ["unknown remap type #", "remap-fpath.img", ([v]) => (v.remap_type = 77)],
    [
      "Unable to change [#]/<path> ownership (#, #) to (#, #)",
      "ghost-file-1.img",
      ([v]) => (v.uid = 0xffffffff),
    ],
    ["Page entry address # outside of VMA #-#", pagemap, ([, v]) => (v.vaddr = 4096n)],
    ["vdso: ELF header magic mismatch", pagemap, ([, v]) => (v.flags = 1)],
    ["Can't read pages data (#)", pagemap, ([v]) => (v.pages_id = 99)],
  ];
};

const options: readonly (readonly [words: string, ...options: string[]])[] = [
  ["pidfile: Can't open <path>", "--pidfile", "/nonexistent/pid"],
  ["invalid argument <text> for --lsm-profile", "--lsm-profile", "nonsense"],
  ['execvp("<script>", ...) failed', "--action-script", "/nonexistent/script"],
  ["Script <path> exited with <#status>", "--action-script", "/bin/false"],
  ["Unable to open directory <path>", "--libdir", "/nonexistent"],
  ["uffd: connect to <path> failed", "--lazy-pages"],
];

test("each line that bare CRIU ends a restore with is told by its own entry", async () => {
  await using stage = openStage();
  const file = (name: string) => {
    writeFileSync(join(stage.dir, name), "some text");
    return join(stage.dir, name);
  };
  const gone = file("gone");
  const fifo = join(stage.dir, "fifo");
  const socket = join(stage.dir, "socket");
  const files = ["write", file("log"), "flock", file("lock"), "write", gone, "unlink", gone];
  const others = ["fifo", fifo, "watch", stage.dir, "dgram", socket];
  const { pid, images } = await startDumped(stage, "objects", files.concat(others), {
    dump: ["--file-locks"],
  });
  const told: unknown[] = [];
  const expected: unknown[] = [];
  const fails = async (words: string, change: (dir: string) => void, ...more: string[]) => {
    const dir = copyOf(stage, images, "changed");
    change(dir);
    const { exit, log } = await restoreBare(stage, dir, ["--file-locks", ...more]);
    rmSync(dir, { recursive: true });
    rmSync(`${gone}.cr.1.ghost`, { force: true });
    if (exit === 0) await killTree(stage, pid);
    const cause = causeLine(errorLines(log));
    const { message = "", file: source } = cause ?? {};
    const found = find(index(), message, { file: source, way: "restore" });
    told.push([exit, message, found?.words.text]);
    expected.push([1, message, words]);
  };
  for (const [words, image, change] of cases(pid))
    await fails(words, (dir) => edit(dir, image, change));
  for (const [words, ...more] of options) await fails(words, () => {}, ...more);
  for (const image of ["pstree.img", "files.img", `core-${pid}.img`, `mm-${pid}.img`]) {
    await fails("Read # bytes while # expected from <file>", (dir) =>
      truncateSync(join(dir, image), statSync(join(dir, image)).size - 3),
    );
  }
  expect(told).toEqual(expected);
}, 240_000);
