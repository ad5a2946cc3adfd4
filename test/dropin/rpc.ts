/** A client of CRIU's RPC, as container runtimes are. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { criu_req as request, RESTORE } from "../../src/criu/rpc-messages.ts";
import { message, optional, required } from "../../src/image/schema.ts";
import { decode, encode } from "../../src/image/wire.ts";
import { compile } from "../restore/stage/compile.ts";
import { criu, run, type Stage, waitFor } from "../restore/stage.ts";
import { link, watched } from "./as-criu.ts";

const response = message("criu_resp", {
  type: required(1, "enum"),
  success: required(2, "bool"),
  restore: optional(4, message("criu_restore_resp", { pid: required(1, "int32") })),
  cr_errno: optional(7, "int32"),
  cr_errmsg: optional(9, "string"),
  version: optional(10, message("criu_version", { major_number: required(1, "int32") })),
});
export { request, RESTORE };
export const VERSION = 10;

/** The images are descriptor 7 of the client, the work directory 8. */
export async function ask(
  stage: Stage,
  images: string,
  bytes: Uint8Array | undefined,
  {
    delay = 0,
    program = link(stage),
    env = {},
  }: { delay?: number; program?: string; env?: Record<string, string> } = {},
) {
  const at = join(stage.dir, `request-${++stage.count}`);
  const work = `${at}.work`;
  mkdirSync(work);
  if (bytes !== undefined) writeFileSync(at, bytes);
  const client = [
    compile("rpc-client"),
    bytes === undefined ? "" : at,
    `${at}.answer`,
    `${delay}`,
    program,
  ];
  const argv = ["sh", "-c", `exec 7<${images} 8<${work}; exec "$@"`, "sh", ...client];
  const done = await run(stage, argv, { env: { RECRIU_CRIU: criu, NO_COLOR: "1", ...env } });
  await waitFor("the watcher to end", () => !watched(stage));
  const answer = existsSync(`${at}.answer`) ? readFileSync(`${at}.answer`) : Buffer.alloc(0);
  const decoded = decode(response, answer);
  const log = join(work, "r.log");
  return {
    ...done,
    answer: decoded.ok ? decoded.value : undefined,
    bytes: answer,
    log: existsSync(log) ? readFileSync(log, "utf8") : "",
  };
}

export const restore = (more: object = {}) =>
  encode(request, {
    type: RESTORE,
    opts: {
      images_dir_fd: 7,
      work_dir_fd: 8,
      log_file: "r.log",
      log_level: 4,
      rst_sibling: true,
      ...more,
    },
  } as never);
