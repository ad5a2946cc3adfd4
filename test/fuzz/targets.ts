/** What reads bytes of others, and what must hold whatever they are. Each throws where it does not. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runChecks } from "../../src/checks/index.ts";
import { parseConfig } from "../../src/criu/config.ts";
import { requestFrom } from "../../src/criu/index.ts";
import { restoreRequest, rpcWords } from "../../src/criu/rpc.ts";
import { logReader } from "../../src/explain/log.ts";
import { thisHost } from "../../src/host/index.ts";
import { openArchive } from "../../src/image/archive.ts";
import { imagesIn, sealOf, sumsOf } from "../../src/image/index.ts";
import { criu_req } from "../../src/criu/rpc-messages.ts";
import { encode } from "../../src/image/wire.ts";
import { printLogReport } from "../../src/report/log-report.ts";
import { printFindings } from "../../src/report/findings.ts";
import { captured } from "../../src/report/terminal.ts";
import { withContext } from "../checks/context.ts";
import { fixture } from "../image/fixture.ts";
import { type Dice, mutateBytes, mutateImage } from "./mutate.ts";

export interface Target {
  /** Bytes to try, and a name for them. */
  make(dice: Dice): { name: string; bytes: Uint8Array };
  /** Read them. */
  read(name: string, bytes: Uint8Array): void | Promise<void>;
}

const whole = fixture();
const images = Object.keys(whole).filter((file) => !file.startsWith("pages-"));

/** No escape of others reaches a terminal. */
function harmlessOnly(text: string): void {
  // oxlint-disable-next-line no-control-regex
  const found = /[^\P{C}\n]/u.exec(text);
  if (found !== null) throw new Error(`a control character is printed: ${JSON.stringify(text)}`);
}

/** What `targets` needs a directory for stands below `dir`. */
export function targetsIn(dir: string): Record<string, Target> {
  const host = thisHost();
  const sealed = join(dir, "sealed");
  mkdirSync(sealed, { recursive: true });
  for (const [file, bytes] of Object.entries(whole)) writeFileSync(join(sealed, file), bytes);
  const manifest = Buffer.from(
    JSON.stringify({
      schema: 1,
      recriu: "0.1.0",
      criu: null,
      kernel: "6.1",
      machine: "x64",
      cpu: ["fpu"],
      images: sumsOf(sealed, imagesIn(sealed)),
      files: [{ path: "/bin/true", size: 1, mode: 0o755, build_id: null }],
    }),
  );
  const tar = Bun.spawnSync([
    "tar",
    "-C",
    dir,
    "--transform",
    "s/^sealed/checkpoint/",
    "-c",
    "sealed",
  ]).stdout;
  const config = Buffer.from('tcp-close\nlog-file "a b" # c\nroot /x\n\nexternal mnt[/a]:b\n');
  const log = Buffer.from(
    "(00.000001) Error (criu/sk-unix.c:1): unix: Can't bind id 0x7 ino 4 addr /tmp/x: No\n" +
      "(00.000002)  10: Error (criu/files.c:2): Unable to open fd=6 id=0x7\n" +
      "(00.000003) Error (criu/cr-restore.c:3): Restoring FAILED.\n",
  );
  const rpc = encode(criu_req, {
    type: 3,
    opts: { images_dir_fd: 3, log_file: "r.log", config_file: "c", exec_cmd: [] },
  } as never);
  const bytesOf = (name: string, bytes: Uint8Array) => (dice: Dice) => ({
    name,
    bytes: mutateBytes(dice, bytes),
  });
  return {
    image: {
      make(dice) {
        const name = images[dice(images.length)]!;
        return { name, bytes: mutateImage(dice, name, whole[name]!) };
      },
      read: (name, bytes) =>
        withContext({ ...whole, [name]: bytes }, { host }, (context) => {
          context.checkpoint.readEverything();
          const findings = runChecks(context, { only: [], ignore: [] });
          const crash = findings.find(({ id }) => id === "check-crashed");
          if (crash !== undefined) throw new Error(crash.message);
          harmlessOnly(captured(() => printFindings(findings)));
        }),
    },
    manifest: {
      make: bytesOf("recriu.manifest", manifest),
      read(name, bytes) {
        writeFileSync(join(sealed, name), bytes);
        sealOf(sealed);
      },
    },
    archive: {
      make: bytesOf("archive.tar", tar),
      async read(name, bytes) {
        writeFileSync(join(dir, name), bytes);
        const opened = await openArchive(join(dir, name));
        if (opened.ok) opened.archive.dispose();
      },
    },
    configuration: {
      make: bytesOf("config", config),
      read(_, bytes) {
        const parsed = parseConfig(bytes.toString());
        if (parsed.ok) requestFrom(["--no-default-config", ...parsed.words], {});
      },
    },
    log: {
      make: bytesOf("restore.log", log),
      read(_, bytes) {
        const reader = logReader();
        reader.feed(Buffer.from(bytes));
        const report = reader.end();
        harmlessOnly(
          captured(() => printLogReport(report, "log", { about: [], kept: undefined, memory: [] })),
        );
      },
    },
    request: {
      make: bytesOf("request", rpc),
      read(_, bytes) {
        const opts = restoreRequest(bytes);
        if (opts !== undefined)
          requestFrom(["--no-default-config", ...rpcWords(opts, (fd) => `/fd/${fd}`)], {});
      },
    },
  };
}
