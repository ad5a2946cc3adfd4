/** A remedy for those who never call criu: in the words of the engine that a paste shows, and its file of options. */
import { expect, test } from "bun:test";
import { criuOptions } from "../../src/criu/options.ts";
import { entries } from "../../src/explain/index.ts";
import { engineSeen } from "../../src/explain/wording.ts";
import { type Explanation, explain } from "../../src/explain/index.ts";
import { logReader } from "../../src/explain/log.ts";

function remedyOf(text: string): string | undefined {
  const reader = logReader();
  reader.feed(Buffer.from(text));
  const { explanation, said } = reader.end();
  return (explanation ?? said)?.remedy;
}

const connected = "(00.1) Error (criu/tty.c:1): tty: No task found with sid 7\n";
const repair =
  "(00.1) Error (soccr/soccr.c:1): Can't turn TCP repair mode ON: Operation not permitted\n";
const daemon =
  "Error response from daemon: Cannot checkpoint container web: runc did not terminate\n";

test("an option of CRIU's is a line of the file that the engine's CRIU reads, or the engine's own option", () => {
  const words: readonly [said: string, has: string][] = [
    [daemon, "`shell-job` in /etc/criu/runc.conf"],
    ["# docker start --checkpoint c1 web\n", "`shell-job` in /etc/criu/runc.conf"],
    [
      "# podman container restore web\n",
      "`shell-job` in /etc/criu/runc.conf (of crun 1.26 with CRIU 4.2, or later, /etc/criu/crun.conf)",
    ],
    ["# podman --runtime crun container checkpoint web\n", "`shell-job` in /etc/criu/crun.conf"],
    ["# crictl checkpoint -e a.tar 7\n", "`shell-job` in /etc/criu/runc.conf (of crun"],
    ["# ctr tasks checkpoint web\n", "`shell-job` in /etc/criu/runc.conf"],
    ["lxc-checkpoint: u1: criu.c: do_dump: 1200\n", "`shell-job` in /etc/criu/default.conf"],
    ["# runc checkpoint web\n", "runc … --shell-job, run"],
    ["# crun restore web\n", "crun … --shell-job, run"],
  ];
  for (const [said, has] of words) {
    const remedy = remedyOf(connected + said);
    expect([said, remedy]).toEqual([said, expect.stringContaining(has)]);
    expect([said, remedy]).not.toEqual([said, expect.stringMatching(/^--shell-job/)]);
  }
  expect(remedyOf(connected)).toStartWith("--shell-job");
});

test("what CRIU's own command shows, or a container in which it was typed, is no engine's checkpoint", () => {
  for (const said of [
    "# criu dump -t 7 -D /tmp/a -v4\n",
    `${daemon}# criu restore -D /tmp/a -v4\n`,
    "# docker run -it --privileged debian bash\n",
    "mnt: 132: 34:/ @ ./var/lib/docker/overlay2/0f\n",
  ])
    expect([said, remedyOf(connected + said)]).toEqual([
      said,
      expect.stringContaining("--shell-job"),
    ]);
});

test("a daemon has root's rights already, and of others they are said in their words, last", () => {
  expect(remedyOf(repair)).toStartWith("run CRIU as root");
  const docker = remedyOf(repair + daemon);
  expect(docker).not.toContain("run CRIU as root");
  expect(docker).toContain("Docker starts CRIU as root already");
  expect(docker).toStartWith("Linux 4.10");
  expect(docker).toContain("`tcp-close` in /etc/criu/runc.conf");
  // criu(8): what may have no value has it behind a sign.
  const cgroup = "(00.1) Error (criu/cgroup.c:1): cg: Can't move into a (-1/-1): Bad message\n";
  expect(remedyOf(cgroup + daemon)).toContain("`manage-cgroups=ignore` in /etc/criu/runc.conf");
  expect(remedyOf(`${repair}# podman container checkpoint web\n`)).toContain(
    "Podman has to be started by root",
  );
});

test("what an engine does already is not advised to those who called it", () => {
  const sharing =
    "(00.1) Error (criu/mount.c:1): mnt: Mount 7 ./a (master_id: 2 shared_id: 0) has unreachable sharing. Try --enable-external-masters.\n";
  expect(remedyOf(sharing)).toStartWith("a container: its engine's own checkpoint");
  expect(remedyOf(sharing + daemon)).toStartWith(
    "at the dump and the restore `external mnt[]` and `enable-external-masters` and `enable-external-sharing` in /etc/criu/runc.conf",
  );
});

test("a container without a filter is run by the engine's own words", () => {
  const filter = "(00.1) Error (criu/ptrace.c:1): suspending seccomp failed: Invalid argument\n";
  const words: readonly [said: string, has: string][] = [
    ["", "(docker and podman run --security-opt seccomp=unconfined)"],
    [daemon, "(docker and podman run --security-opt seccomp=unconfined)"],
    ["lxc-checkpoint: u1: criu.c: do_dump: 998\n", "(lxc.seccomp.profile (before"],
    ["# crictl checkpoint -e a.tar 7\n", "seccompProfile.type: Unconfined"],
    ["# runc checkpoint web\n", "linux.seccomp taken out of config.json"],
  ];
  for (const [said, has] of words)
    expect([said, remedyOf(filter + said)]).toEqual([said, expect.stringContaining(has)]);
});

test("a file of options is told only to a CRIU that reads it, and crun's with the releases that do", () => {
  const mount = "mnt: 7:./data doesn't have a proper root mount\n";
  const now = remedyOf(`${daemon}Error (criu/mount.c:740): ${mount}`);
  expect(now).toContain("in /etc/criu/runc.conf");
  for (const old of [
    `${daemon}Error (mount.c:740): ${mount}`,
    `${daemon}(00.000100) Version: 3.10 (gitid v3.10)\n(00.1) Error (criu/mount.c:740): ${mount}`,
  ])
    expect([old, remedyOf(old)]).toEqual([old, expect.not.stringContaining("/etc/criu")]);
  const crun = remedyOf(`# crun checkpoint web\nError (criu/mount.c:740): ${mount}`);
  expect(crun).toContain("crun 1.26 with CRIU 4.2, or later");
  expect(crun).not.toContain("CRIU 3.11");
});

test("a named log is told of once", () => {
  const path = "/run/containers/storage/overlay-containers/web/userdata/restore.log";
  const remedy = remedyOf(`criu failed: type NOTIFY errno 0\nlog file: ${path}\n`);
  expect(remedy).toContain(`recriu explain ${path}`);
  expect(remedy).not.toContain("log-file");
});

test("under an engine no entry of CRIU's leaves a remedy that begins with an option which that engine does not have", () => {
  const engine = engineSeen();
  engine.note(daemon);
  // Of one with a value a remedy may speak without giving that.
  const flags = criuOptions.filter(({ arg }) => arg === "none");
  const names = new Set(flags.map(({ name }) => name));
  let turned = 0;
  for (const { remedy, files } of entries()) {
    if (files.length === 0 || remedy === "") continue;
    const before: Explanation = { ...explain("Unable to fork", {})!, by: "criu", remedy };
    const after = engine.inItsWords(before).remedy;
    turned += after === remedy ? 0 : 1;
    expect([remedy, after.length > 4]).toEqual([remedy, true]);
    if (remedy.includes("/etc/criu/")) continue;
    const first = /^--([a-z-]+)/.exec(after)?.[1];
    const left = first !== undefined && names.has(first) ? first : undefined;
    expect([remedy, left === undefined || ofEngine.has(left)]).toEqual([remedy, true]);
    expect([remedy, after]).not.toEqual([
      remedy,
      expect.stringMatching(/^(?:run CRIU as root(?! with)|sudo criu)/),
    ]);
  }
  expect(turned).toBeGreaterThan(200);
});
/** It is asked for in another way: runc checkpoint --pre-dump. */
const ofEngine: ReadonlySet<string> = new Set(["track-mem"]);

test("crun before 1.26 names no file to CRIU, which reads that of all the same, but for what crun asks itself", () => {
  const mount = "(00.1) Error (criu/mount.c:1): mnt: 7:./srv doesn't have a proper root mount\n";
  const own =
    "# podman container checkpoint web\nCRIU checkpointing failed -52.  Please check CRIU logfile /var/lib/x/dump.log\n";
  expect(remedyOf(mount + own)).toContain("of those it is /etc/criu/default.conf");
  expect(remedyOf(mount + "# podman container checkpoint web\n")).toContain(
    "of an earlier crun /etc/criu/default.conf",
  );
  expect(remedyOf(`(00.0) Version: 4.0\n${mount}${own}`)).toContain(
    "`external mnt[/srv]:KEY` in /etc/criu/default.conf",
  );
  expect(remedyOf(`(00.0) Version: 4.0\n${connected}${own}`)).not.toContain("default.conf");
  expect(remedyOf(mount + daemon)).not.toContain("default.conf");
});

test("who is root already is not told to become it", () => {
  const asked = "started by root: sudo";
  for (const said of ["lxc move u1 other:\n", "$ sudo podman container restore web\n"])
    expect([said, remedyOf(repair + said)]).not.toEqual([said, expect.stringContaining(asked)]);
  expect(remedyOf(`${repair}$ podman container restore web\n`)).toContain(asked);
});
