/** What else reads bytes of others: archives, manifests, journals, requests, configuration, logs, a container's configuration. */
import { generateKeyPairSync } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseConfig } from "../../src/criu/config.ts";
import { requestFrom } from "../../src/criu/index.ts";
import { overridden, restoreRequest, rpcDefaults, rpcWords } from "../../src/criu/rpc.ts";
import { criu_opts, criu_req, RESTORE } from "../../src/criu/rpc-messages.ts";
import { resolveSettings } from "../../src/criu/settings.ts";
import { logReader } from "../../src/explain/log.ts";
import { openArchive } from "../../src/image/archive.ts";
import { imagesIn, packedPiece, PIECE, piecesOf, sealOf, sumsOf } from "../../src/image/index.ts";
import { encode } from "../../src/image/wire.ts";
import { parseJournal } from "../../src/repair/step.ts";
import { printLogReport } from "../../src/report/log-report.ts";
import { captured } from "../../src/report/terminal.ts";
import { minisignature, signerOf } from "../../src/sys/minisign.ts";
import { bundleOf } from "../../src/runtime/bundle.ts";
import { externalMounts } from "../../src/runtime/request.ts";
import { repository } from "../built.ts";
import { fixture } from "../image/fixture.ts";
import { type Dice, mutateBytes, mutateLines, mutateMessage, pick } from "./mutate.ts";
import { harmlessOnly, type Target } from "./target.ts";

type Make = Target["make"];
const lines =
  (name: string, text: string | Uint8Array): Make =>
  (dice) => ({
    name,
    bytes: (dice(4) === 0 ? mutateBytes : mutateLines)(dice, Buffer.from(text as string)),
  });

const BLOCK = 512;

/** A tar of others: bytes anywhere, or a header's field with a sum that is right; then perhaps compressed. */
function mutateTar(dice: Dice, tar: Uint8Array): Uint8Array {
  let bytes = Buffer.from(tar);
  if (dice(3) === 0) bytes = Buffer.from(mutateBytes(dice, bytes));
  else {
    const header = bytes
      .subarray(dice(Math.floor(bytes.length / BLOCK)) * BLOCK)
      .subarray(0, BLOCK);
    const [at, length] = pick(dice, [
      [0, 100], // name
      [100, 8], // mode
      [124, 12], // size
      [156, 1], // type
      [157, 100], // linkname
      [257, 8], // magic, version
      [345, 155], // prefix
    ] as const);
    const values = [
      "",
      "checkpoint/../x",
      "/etc/x",
      "77777777777",
      "\xff\xff\xff\xff",
      "x",
      "g",
      "L",
      "S",
      "2",
    ];
    if (header.length === BLOCK) {
      header.subarray(at, at + length).fill(0);
      header.write(pick(dice, values), at, length, "latin1");
      header.fill(" ", 148, 156);
      const sum = header.reduce((all, byte) => all + byte, 0);
      header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    }
    if (dice(4) === 0)
      bytes = Buffer.concat([bytes.subarray(0, dice(bytes.length)), header, bytes]);
  }
  const kind = dice(4);
  if (kind === 0) return mutateBytes(dice, Bun.gzipSync(bytes));
  return kind === 1 ? mutateBytes(dice, Bun.zstdCompressSync(bytes, { level: 1 })) : bytes;
}

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
  const manifest = {
    schema: 1,
    recriu: "0.1.0",
    criu: null,
    kernel: "6.1",
    machine: "x64",
    cpu: ["fpu"],
    host: {
      page_size: 4096,
      processors: 2,
      memory: 1 << 30,
      limits: { memory: 1 << 20, processors: 1.5 },
      lsm: ["capability", "apparmor"],
      gpus: [{ model: "NVIDIA L4", driver: null }],
    },
    images: sumsOf(sealed, imagesIn(sealed)),
    files: [
      { path: "/bin/true", size: 1, mode: 0o755, build_id: null },
      {
        path: "/a/b",
        size: 1,
        mode: 0o644,
        build_id: null,
        mtime: "2026-01-01T00:00:00.000Z",
        taken: {
          sha256: "0".repeat(64),
          packed: { size: 9, sha256: "1".repeat(64) },
          uid: 0,
          gid: 0,
          xattrs: { "user.a": "eA==" },
          newer: false,
        },
      },
    ],
    directories: [{ path: "/a", mode: 0o755, uid: 0, gid: 0 }],
  };
  const seed = generateKeyPairSync("ed25519");
  const id = Buffer.alloc(8, 1);
  const signing = { id, key: seed.privateKey, secret: true } as const;
  const keys = [{ id, key: seed.publicKey, secret: false } as const];
  const signed = Buffer.from("{}");
  const packed = Buffer.concat(
    [Buffer.alloc(PIECE, "ab"), Buffer.from("the end")].flatMap(packedPiece),
  );
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
    manifest: {
      make: lines("recriu.manifest", JSON.stringify(manifest, undefined, 1)),
      read(name, bytes) {
        writeFileSync(join(sealed, name), bytes);
        sealOf(sealed);
      },
    },
    signature: {
      make: lines(
        "recriu.manifest.minisig",
        minisignature(signing, { name: "recriu.manifest", data: signed, epoch: 0, of: "a seal" }),
      ),
      read(_, bytes) {
        const found = signerOf(signed, Buffer.from(bytes).toString(), keys);
        if ("problem" in found) harmlessOnlyOnceTold(found.problem);
      },
    },
    beside: {
      make: (dice) => ({ name: "beside.zst", bytes: mutateBytes(dice, packed) }),
      read(name, bytes) {
        const path = join(dir, name);
        writeFileSync(path, bytes);
        const fd = openSync(path, "r");
        try {
          for (const piece of piecesOf(fd, path)) if (piece.length > PIECE) throw new Error("more");
        } catch (error) {
          if ((error as Error).message !== "its bytes are not those that were sealed") throw error;
        } finally {
          closeSync(fd);
        }
      },
    },
    journal: {
      make: lines("journal", journal.map((line) => JSON.stringify(line)).join("\n")),
      read: (_, bytes) => void parseJournal(Buffer.from(bytes).toString()),
    },
    configuration: {
      make: lines("config", 'tcp-close\nlog-file "a b" # c\nroot /x\n\nexternal mnt[/a]:b\n'),
      read(_, bytes) {
        const text = Buffer.from(bytes).toString();
        const parsed = parseConfig(text);
        if (parsed.ok) requestFrom(["--no-default-config", ...parsed.words], {});
      },
    },
    settings: {
      make: lines(
        "recriu.conf",
        "fix none\nverify report\nignore a,b\nstall 3\nallow-write /x\nverify-key /y\nrequire-signature\n",
      ),
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
        const opts = restoreRequest(bytes);
        if (opts === undefined) return;
        const words = [...rpcDefaults(opts), ...rpcWords(opts, (fd) => `/fd/${fd}`)];
        requestFrom(["--no-default-config", ...words], {});
        for (const option of ["--tcp-close", "--manage-cgroups=ignore", "--shell-job"])
          overridden(opts, option);
      },
    },
    bundle: {
      make: lines("config.json", JSON.stringify(spec, undefined, 1)),
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
