/** What systems are tried with: the tests of test/systems, and of the project's others what a machine makes a difference to. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../test/built.ts";

/** Tests that ask for more than a system has, and for what. */
const elsewhere: Readonly<Record<string, string>> = {
  "test/restore/images/image-compressed.test.ts":
    "CRIUs of later systems, and crit of the last one",
  "test/restore/images/pages-left-out.test.ts": "minisign, unpacked with a loader of its own",
  "test/restore/images/seal-signature-wrong.test.ts": "the same",
  "test/restore/images/seal-unsigned.test.ts": "the same",
  "test/restore/tree/inherited-narrower.test.ts": "Python with ctypes",
  "test/restore/tree/tty-device-missing.test.ts":
    "a display: without one CRIU cannot set a console as it was (EINVAL)",
  "test/sys/asking-program.test.ts": "an assembler",
  "test/sys/init-program.test.ts": "an assembler",
};

const tests = (dir: string): string[] =>
  readdirSync(join(repository, dir))
    .filter((file) => file.endsWith(".test.ts"))
    .toSorted()
    .map((file) => `${dir}/${file}`)
    .filter((file) => !(file in elsewhere));

/** The staged checks of these groups, or the files of these names in test/restore. */
export const staged = (...names: string[]): string[] =>
  names.flatMap((name) => {
    const path = `test/restore/${name}`;
    return name.endsWith(".test.ts") ? [path] : tests(path);
  });

/** What every system runs; the first has to be before anything else was where it looks. */
export const basic: readonly string[] = [
  "test/systems/reboot-before.ts",
  "test/systems/carried-out.ts",
  "test/systems/resources.ts",
  "test/systems/clocks.ts",
  "test/systems/network.ts",
  "test/restore/incident.test.ts",
];
/** What asks the kernel itself, by numbers that each architecture has of its own: many, and they take a minute together. */
export const asking = (...names: ("sys" | "verify" | "host")[]): string[] =>
  names.flatMap((name) => tests(`test/${name}`));
/** recriu called as criu: what was started waits in instructions of that architecture's own (scripts/entry/front-*.S). */
const dropin: readonly string[] = ["hand", "pids", "restore", "failing", "swrk"].map(
  (name) => `test/dropin/${name}.test.ts`,
);

/** Of all those what waits for a CRIU that hangs, or has an emulated kernel do much: in a run of so many minutes it is left out first. */
const dear: readonly string[] = staged(
  "tree/shell-job-session.test.ts",
  "tree/group-leader-lost.test.ts",
  "rights/seccomp-filter-missing.test.ts",
  "rights/seccomp-suspend.test.ts",
  "tree/tree-corrupt.test.ts",
  "cgroups/cgroup-frozen.test.ts",
  "kernel/mappings-too-many.test.ts",
);
const dearLast = (files: readonly string[]): readonly string[] => [
  ...files.filter((file) => !dear.includes(file)),
  ...dear.filter((file) => files.includes(file)),
];

/**
 * On every architecture, and of a system's `own` what it has alone: the checks that are about the kernel, one way or another; what a machine
 * makes the most difference to comes first.
 */
export const core = (...own: string[]): readonly string[] =>
  dearLast([
    ...basic,
    ...own,
    ...asking("sys", "verify", "host"),
    ...staged("kernel", "rights", "cgroups"),
    ...dropin,
    ...staged("tree"),
  ]);
/** Beyond that on x86-64, whose emulation is the faster one. */
export const wide = (...own: string[]): readonly string[] =>
  dearLast([...core(...own), ...staged("sockets", "mounts", "files", "images")]);
/** After the reboot. */
export const afterwards: readonly string[] = [
  "test/systems/reboot-after.ts",
  "test/systems/carried-in.ts",
];
