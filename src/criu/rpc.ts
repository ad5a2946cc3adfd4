/** Requests of CRIU's RPC (criu(8), swrk): what container runtimes and libcriu send, as words of `criu restore`. */
import { decode, encode } from "../image/wire.ts";
import type { CriuOption } from "./option.ts";
import { byName } from "./option-names.ts";
import { criuOptions, type RpcField } from "./options.ts";
import { criu_req, criu_req_head, criu_resp, RESTORE, type RpcOptions } from "./rpc-messages.ts";

/** A request, or why it is none. `opts`: of one to restore. `keepOpen`: CRIU takes another one from the same socket afterwards. */
export function requestIn(
  bytes: Uint8Array,
):
  | { readonly ok: true; readonly opts: RpcOptions | undefined; readonly keepOpen: boolean }
  | { readonly ok: false; readonly problem: string } {
  const head = decode(criu_req_head, bytes);
  if (!head.ok) return head;
  const { type, keep_open: keepOpen = false } = head.value;
  if (type !== RESTORE) return { ok: true, opts: undefined, keepOpen };
  const request = decode(criu_req, bytes);
  // A restore is the last one.
  return request.ok ? { ok: true, opts: request.value.opts, keepOpen: false } : request;
}

/** What the request holds that no CRIU known here reads: a later one may. */
export function fieldsBeyond(bytes: Uint8Array): readonly string[] {
  const fields = new Set<string>();
  decode(criu_req, bytes, 0, undefined, (message, number) =>
    fields.add(`field ${number} of ${message}`),
  );
  return [...fields];
}

/** The same request, with all else that it says, and another configuration file. */
export function withConfigFile(bytes: Uint8Array, file: string): Uint8Array {
  const request = decode(criu_req, bytes);
  if (!request.ok || request.value.opts === undefined) throw new Error("no request to restore");
  const opts = { ...request.value.opts, config_file: file };
  return encode(criu_req, { ...request.value, opts });
}

/** The answer of a CRIU that could not restore, with the errno that it has for some problems. */
export const restoreRefusal = (cr_errmsg: string, cr_errno: number | undefined): Uint8Array =>
  encode(criu_resp, {
    type: RESTORE,
    success: false,
    restore: { pid: -1 },
    ...(cr_errno !== undefined && { cr_errno }),
    cr_errmsg,
  });

const ofDumps = "of dumps: a restore does not read it";
const ofPages = "of the page server and of lazy pages, which are not looked at";

/** The fields that decide nothing here, each with the reason. */
export const decidesNothing = {
  notify_scripts: "CRIU tells the caller at each point, besides the action scripts",
  status_fd: "CRIU opens the caller's descriptor itself, and writes a byte there",
  display_stats: "it prints",
  log_level: "it says how much is in the log",
  exec_cmd: "CRIU becomes it once the tree runs: guardRequest reads it",
  config_file: "its words go over all others: guardRequest reads them",
  lsm_mount_context: "CRIU writes it into the options of mounts; checks do not compare those",
  ext_sharing: ofDumps,
  ext_masters: ofDumps,
  enable_fs: "file systems that a dump takes by their type; a restore makes what the images say",
  skip_mnt: "mounts of this machine that CRIU does not look at, none of the tree's",
  evasive_devices: ofDumps,
  force_irmap: ofDumps,
  link_remap: ofDumps,
  track_mem: ofDumps,
  parent_img: ofDumps,
  ghost_limit: ofDumps,
  irmap_scan_paths: ofDumps,
  freeze_cgroup: ofDumps,
  cgroup_props: ofDumps,
  cgroup_props_file: ofDumps,
  cgroup_dump_controller: ofDumps,
  tcp_skip_in_flight: ofDumps,
  compress: ofDumps,
  compress_acceleration: ofDumps,
  compress_block_size: ofDumps,
  pid: ofDumps,
  pre_dump_mode: ofDumps,
  network_lock: "a restore takes the dump's, which is in the inventory",
  pidfd_store_sk: "of incremental dumps: how they tell a process from another of its number",
  ps: ofPages,
  tls: ofPages,
  tls_cacert: ofPages,
  tls_cacrl: ofPages,
  tls_cert: ofPages,
  tls_key: ofPages,
  tls_no_cn_verify: ofPages,
  image_io_mode: "how CRIU reads pages images: the same bytes either way",
  decompress_threads: "how many threads unpack memory: to the same bytes",
  plugin_options: "for CRIU's plugins alone",
} as const satisfies Partial<Record<keyof RpcOptions, string>> &
  Record<Exclude<keyof RpcOptions, RpcField>, string>;

/** What the request says of an option, a value for each use. `directory` names what descriptor N of the client is. */
function asked(
  { rpc, list }: CriuOption,
  opts: RpcOptions,
  directory: (fd: number) => string,
): readonly (string | boolean)[] {
  if (rpc === undefined) return [];
  if (typeof rpc === "object") return rpc.values(opts, directory);
  const value = opts[rpc];
  if (value === undefined) return [];
  if (list) return value as string[];
  return [typeof value === "boolean" ? value : String(value)];
}

function words(
  opts: RpcOptions,
  directory: (fd: number) => string,
  standard: boolean,
): readonly string[] {
  return criuOptions.flatMap((option) => {
    const { name, rpc, turns, sets, apply } = option;
    if (turns === undefined && sets === undefined && apply === undefined) return [];
    const usual = typeof rpc === "object" ? rpc.standard : undefined;
    return asked(option, opts, directory)
      .filter((value) => (value === false || value === usual) === standard)
      .map((value) =>
        typeof value === "string" ? `--${name}=${value}` : `--${value ? "" : "no-"}${name}`,
      );
  });
}

/** The words for what CRIU does anyway: runtimes set these fields whether or not somebody asked. */
export const rpcDefaults = (opts: RpcOptions): readonly string[] => words(opts, nowhere, true);

const nowhere = (fd: number) => `/proc/self/fd/${fd}`;

/**
 * The words of `criu restore` that ask for the rest. `directory` names what descriptor N of the client is. The words
 * of `config_file`, which go over all others, are not among them.
 */
export const rpcWords = (
  opts: RpcOptions,
  directory: (fd: number) => string,
): readonly string[] => ["--restore-detached", ...words(opts, directory, false)];

/** Whether the request itself settles what `option` would; then the option on CRIU's command line changes nothing. */
export function overridden(opts: RpcOptions, option: string): boolean {
  const definition = byName(option.slice(2).split("=")[0]!);
  return (
    definition !== undefined && !definition.list && asked(definition, opts, nowhere).length > 0
  );
}
