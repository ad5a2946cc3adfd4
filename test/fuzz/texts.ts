/** What else reads bytes of others: archives, journals, requests, configuration, logs, a container's configuration. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseConfig } from "../../src/criu/config.ts";
import { requestFrom } from "../../src/criu/index.ts";
import { overridden, requestIn, rpcDefaults, rpcWords } from "../../src/criu/rpc.ts";
import { criu_opts, criu_req, RESTORE } from "../../src/criu/rpc-messages.ts";
import { resolveSettings } from "../../src/criu/settings.ts";
import { logReader } from "../../src/explain/log.ts";
import { openArchive } from "../../src/image/archive.ts";
import { encode } from "../../src/image/wire.ts";
import { parseJournal } from "../../src/repair/step.ts";
import { printLogReport } from "../../src/report/log-report.ts";
import { captured } from "../../src/report/terminal.ts";
import { bundleOf } from "../../src/runtime/bundle.ts";
import { externalMounts } from "../../src/runtime/request.ts";
import { repository } from "../built.ts";
import { fixture } from "../image/fixture.ts";
import { mutateBytes, mutateJson, mutateLines, mutateMessage, mutateTar, pick } from "./mutate.ts";
import { harmlessOnly, type Target } from "./target.ts";

type Make = Target["make"];
const lines =
  (name: string, text: string | Uint8Array): Make =>
  (dice) => ({
    name,
    bytes: (dice(4) === 0 ? mutateBytes : mutateLines)(dice, Buffer.from(text as string)),
  });

/** The targets, which keep what they need below `dir`. */
export function textTargets(dir: string): Record<string, Target> {
  const whole = fixture();
  const sealed = join(dir, "sealed/checkpoint");
  mkdirSync(sealed, { recursive: true });
  for (const [file, bytes] of Object.entries(whole)) writeFileSync(join(sealed, file), bytes);
  const spec = {
    root: { path: "rootfs" },
    annotations: { "org.criu.config": "/etc/criu/x.conf" },
    process: { user: { uid: 0 }, capabilities: { bounding: ["CAP_KILL"] }, noNewPrivileges: true },
    mounts: [{ destination: "/a", source: "/b", type: "bind", options: ["rbind"] }],
    linux: { namespaces: [{ type: "pid" }], uidMappings: [{ containerID: 0, hostID: 1, size: 2 }] },
  };
  writeFileSync(join(dir, "sealed/spec.dump"), JSON.stringify(spec));
  const argv = ["tar", "-C", join(dir, "sealed"), "-cf", "-", "checkpoint", "spec.dump"];
  const tar = Bun.spawnSync(argv).stdout;
  const pastes = readFileSync(join(repository, "test/explain/pastes.tsv"), "utf8");
  const log =
    "(00.000001) Error (criu/sk-unix.c:1): unix: Can't bind id 0x7 ino 4 addr /tmp/x: No\n" +
    "(00.000002)  10: Error (criu/files.c:2): Unable to open fd=6 id=0x7\n" +
    "(00.000003) Error (criu/cr-restore.c:3): Restoring FAILED.\n";
  const journal = [
    { images: "/i", pid: 1 },
    { action: "mkdir", root: "/", path: "/tmp/x", parent: "1:2", inode: "1:3", below: 1 },
    { action: "file", root: "/", path: "/a/b", parent: "1:2", inode: "1:4" },
    { action: "name", root: "/", path: "/x/link_remap.1", kept: ".recriu-0123456789abcdef" },
    { action: "tree", root: "/", path: "/i", pid: 5, started: "77" },
    { action: "scratch", root: "/", path: "/w", existing: ["a"] },
  ];
  return {
    archive: {
      make: (dice) => ({ name: "archive.tar", bytes: mutateTar(dice, tar) }),
      async read(name, bytes) {
        writeFileSync(join(dir, name), bytes);
        const opened = await openArchive(join(dir, name));
        if (opened.ok) opened.archive.dispose();
        else harmlessOnlyOnceTold(opened.problem);
      },
    },
    journal: {
      make: lines("journal", journal.map((line) => JSON.stringify(line)).join("\n")),
      read: (_, bytes) => void parseJournal(Buffer.from(bytes).toString()),
    },
    configuration: {
      make: lines("x.conf", 'tcp-close\nlog-file "a b" # c\nroot /x\n\nexternal mnt[/a]:b\n'),
      read(name, bytes) {
        const text = Buffer.from(bytes).toString();
        const parsed = parseConfig(text);
        if (parsed.ok) requestFrom(["--no-default-config", ...parsed.words], {});
        writeFileSync(join(dir, name), bytes);
        requestFrom(["--config", join(dir, name)], {});
      },
    },
    settings: {
      make: lines("recriu.conf", "fix none\nverify report\nignore a,b\nstall 3\nallow-write /x\n"),
      read: (_, bytes) => void resolveSettings([], {}, Buffer.from(bytes).toString()),
    },
    log: {
      make: (dice) =>
        lines("restore.log", dice(2) === 0 ? log : pick(dice, pastes.split("\n")))(dice),
      read(_, bytes) {
        const reader = logReader();
        reader.feed(Buffer.from(bytes));
        const report = reader.end();
        const beside = { about: [], kept: undefined, memory: [] };
        harmlessOnly(captured(() => printLogReport(report, "log", beside)));
      },
    },
    request: {
      make(dice) {
        const opts = { images_dir_fd: 3, exec_cmd: [], unix_sk_ino: [], veths: [], ext_mnt: [] };
        const lists = { join_ns: [], inherit_fd: [], cg_root: [], external: [] };
        const message = { type: RESTORE, opts: { ...opts, ...lists } };
        for (let times = dice(6); times >= 0; times -= 1)
          mutateMessage(dice, criu_opts, message.opts);
        let bytes: Uint8Array = Buffer.alloc(0);
        try {
          bytes = encode(criu_req, message as never);
        } catch {
          // What cannot be written is sent by none.
        }
        return { name: "request", bytes: dice(3) === 0 ? mutateBytes(dice, bytes) : bytes };
      },
      read(_, bytes) {
        const request = requestIn(bytes);
        const opts = request.ok ? request.opts : undefined;
        if (opts === undefined) return;
        const words = [...rpcDefaults(opts), ...rpcWords(opts, (fd) => `/fd/${fd}`)];
        requestFrom(["--no-default-config", ...words], {});
        for (const option of ["--tcp-close", "--manage-cgroups=ignore", "--shell-job"])
          overridden(opts, option);
      },
    },
    bundle: {
      make: (dice) =>
        dice(2) === 0
          ? { name: "config.json", bytes: mutateJson(dice, spec) }
          : lines("config.json", JSON.stringify(spec, undefined, 1))(dice),
      read(_, bytes) {
        const bundle = bundleOf(Buffer.from(bytes).toString(), "/bundle");
        if (bundle !== undefined) externalMounts(sealed, bundle);
      },
    },
  };
}

/** A problem is told by `said`, which makes it harmless; so it only has to be a text. */
function harmlessOnlyOnceTold(problem: unknown): void {
  if (typeof problem !== "string" || problem === "") throw new Error("no problem is told");
}
