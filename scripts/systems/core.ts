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
/** And the checks that are about the kernel, one way or another. */
export const core: readonly string[] = [...basic, ...staged("tree", "kernel", "rights", "cgroups")];
/** recriu called as criu: what was started waits in instructions of that architecture's own (scripts/entry/front-*.S). */
export const dropin: readonly string[] = ["hand", "pids", "restore", "failing", "swrk"].map(
  (name) => `test/dropin/${name}.test.ts`,
);
/** What asks the kernel by numbers that each architecture has of its own, and takes seconds. */
export const numbers: readonly string[] = ["sys", "verify", "host"].flatMap((name) =>
  tests(`test/${name}`),
);
/** Beyond that on x86-64, whose emulation is the faster one. */
export const more: readonly string[] = [
  ...dropin,
  ...staged("sockets", "files", "mounts", "images"),
];
/** After the reboot. */
export const afterwards: readonly string[] = [
  "test/systems/reboot-after.ts",
  "test/systems/carried-in.ts",
];
