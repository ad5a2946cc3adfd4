/** What no image has, and the tree gets from whoever restores: bare CRIU hands it down without a word. */
import { isBefore43 } from "../criu.ts";
import { startDumped } from "../stage/dumped.ts";
import { killTree, openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { bareUnder, reportUnder, type Under } from "../under.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

const field = (pid: number, name: string) =>
  new RegExp(`^${name}:\\s*(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];

/** A command after a call of libc. */
function after(call: string): Under {
  const load = "import ctypes, os, sys; libc = ctypes.CDLL(None)";
  return ["python3", "-c", `${load}; ${call}; os.execvp(sys.argv[1], sys.argv[1:])`];
}

/** Under what it is restored; what recriu is to name; and what the tree has then. */
const cases: [
  under: Under,
  subject: string,
  command: string | null,
  has: (pid: number) => string,
][] = [
  [
    ["taskset", "-c", "0"],
    "processors",
    "taskset -c ",
    (pid) => `${field(pid, "Cpus_allowed_list") === "0"}`,
  ],
  [
    ["ionice", "-c", "3"],
    "I/O class",
    "ionice -c none ",
    (pid) => `${ioClass(pid).startsWith("idle")}`,
  ],
  [
    ["ionice", "-c", "2", "-n", "7"],
    "I/O class",
    "ionice -c none ",
    (pid) => `${ioClass(pid).includes("prio 7")}`,
  ],
  [
    ["setpriv", "--no-new-privs"],
    "no_new_privs",
    null,
    (pid) => `${field(pid, "NoNewPrivs") === "1"}`,
  ],
  [
    (command) => [
      "sh",
      "-c",
      `echo 0x1 >/proc/self/coredump_filter; echo 0x1 >/proc/$$/coredump_filter; ${command}`,
    ],
    "coredump_filter",
    null,
    (pid) => `${readFileSync(`/proc/${pid}/coredump_filter`, "utf8").trim() === "00000001"}`,
  ],
  [
    after("libc.prctl(29, 1000000, 0, 0, 0)"),
    "timer slack",
    null,
    (pid) => `${readFileSync(`/proc/${pid}/timerslack_ns`, "utf8").trim() === "1000000"}`,
  ],
  [
    after("libc.syscall(238, 3, ctypes.byref(ctypes.c_ulong(1)), 64)"), // set_mempolicy(2), MPOL_INTERLEAVE
    "memory policy",
    null,
    (pid) => `${readFileSync(`/proc/${pid}/numa_maps`, "utf8").includes("interleave")}`,
  ],
];

const ioClass = (pid: number) => Bun.spawnSync(["ionice", "-p", `${pid}`]).stdout.toString();

test("inherited-narrower: what recriu is bound to the tree will be, too", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const free = await reportUnder(stage, [], "preflight", images);
  expect(free.findings).toEqual([]);
  for (const [under, subject, command, has] of cases) {
    // From 4.3 on the images have it.
    if (subject === "timer slack" && !isBefore43) continue;
    const preflight = await reportUnder(stage, under, "preflight", images);
    expect(preflight).toMatchObject({
      exit: 0,
      findings: [{ id: "inherited-narrower", severity: "warning", subject }],
    });
    const named = preflight.findings[0]!.remedy.command;
    expect(command === null ? named : named!.slice(0, command.length)).toBe(command);
    const bare = await bareUnder(stage, under, images);
    expect([subject, bare.exit, has(pid)]).toEqual([subject, 0, "true"]);
    await killTree(stage, pid);
    if (typeof under === "function" || command === null) continue;
    // The remedy, within what binds this shell.
    const told = await reportUnder(stage, under, "preflight", images, ["-d"]);
    expect((await typed(stage, told, "inherited-narrower", { under })).exit).toBe(0);
    expect(has(pid)).toBe("false");
    await killTree(stage, pid);
  }
});
