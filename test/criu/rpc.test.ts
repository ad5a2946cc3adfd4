/** Requests of CRIU's RPC: each field means here what it means to CRIU, or stands in a table with the reason. */
import { expect, test } from "bun:test";
import { requestFrom, requestOptions } from "../../src/criu/index.ts";
import { criu_opts, criu_req, RESTORE, type RpcOptions } from "../../src/criu/rpc-messages.ts";
import {
  decidesNothing,
  fieldsBeyond,
  overridden,
  requestIn,
  rpcDefaults,
  rpcWords,
} from "../../src/criu/rpc.ts";
import { encode } from "../../src/image/wire.ts";

/** As it comes through the socket. */
function sent(fields: Partial<RpcOptions>): RpcOptions {
  const opts = { images_dir_fd: 7, ...fields };
  const request = requestIn(encode(criu_req, { type: RESTORE, opts } as never));
  return (request as Extract<typeof request, { ok: true }>).opts!;
}

function asked(fields: Partial<RpcOptions>, config: string[] = []) {
  const opts = sent(fields);
  const words = [...config, ...rpcDefaults(opts), ...rpcWords(opts, (fd) => `/fd/${fd}`)];
  const understood = requestFrom(words, {}, requestOptions, () => undefined);
  if (!understood.ok) throw new Error(understood.problem);
  return understood.request;
}

test("every number of CRIU's message is known: 1 to 78, and none is 40", () => {
  const numbers = Object.values(criu_opts.fields).map(({ number }) => number);
  const all = Array.from({ length: 78 }, (_, at) => at + 1).filter((number) => number !== 40);
  expect(numbers.sort((a, b) => a - b)).toEqual(all);
});

/** For each kind of field what could make a difference; of messages what they have to have. */
const values: Record<string, readonly unknown[]> = {
  bool: [true, false],
  string: ["x:y"],
  number: [1, 3, 0x40000000],
  ps: [{ port: 5 }],
  veths: [[{ if_in: "a", if_out: "b" }]],
  ext_mnt: [[{ key: "k", val: "/v" }]],
  cg_root: [[{ path: "/x" }]],
  inherit_fd: [[{ key: "pipe:[1]", fd: 4 }]],
  join_ns: [[{ ns: "uts", ns_file: "/x" }]],
  external: [["net[4]:n"]],
  strings: [["x"]],
  plugin_options: [["amdgpu.x=y"]],
};
/** Fields that mean something only beside another one. */
const beside: Record<string, Partial<RpcOptions>> = {
  images_dir: { images_dir_fd: -1 },
  unix_sk_ino: { ext_unix_sk: true },
};
values["unix_sk_ino"] = [[{ inode: 5 }]];

test("every field decides something as its option does, or stands in the table of those that do not", () => {
  for (const [field, { kind, label }] of Object.entries(criu_opts.fields)) {
    const shape =
      label === "repeated" ? "strings" : kind === "bool" || kind === "string" ? kind : "number";
    const others = beside[field] ?? {};
    const plain = asked(others);
    const decides = (values[field] ?? values[shape]!).some(
      (value) => !Bun.deepEquals(asked({ ...others, [field]: value }), plain),
    );
    expect([field, decides]).toEqual([field, !(field in decidesNothing)]);
  }
});

const cases: [Partial<RpcOptions>, object][] = [
  [{}, { imagesDir: "/fd/7", workDir: "/fd/7", logFile: "/fd/7/criu.log", detached: true }],
  [{ images_dir_fd: -1, images_dir: "/i" }, { imagesDir: "/i" }],
  [
    { work_dir_fd: 8, log_file: "l", root: "/r" },
    { logFile: "/fd/8/l", root: "/r" },
  ],
  [{ log_to_stderr: true }, { logFile: undefined }],
  [{ pid: 77, network_lock: 3, pre_dump_mode: 2, ghost_limit: 1, track_mem: true }, {}],
  [
    { tcp_established: true, tcp_close: false },
    { tcpEstablished: true, tcpClose: false },
  ],
  [{ compress: 1, compress_acceleration: 9, compress_block_size: 4096, image_io_mode: 1 }, {}],
  [{ decompress_threads: 8, plugin_options: ["a.b=c"] }, {}],
  [{ stream: true }, { stream: true }],
  [{ orphan_pts_master: true }, { orphanPtsMaster: true, shellJob: false }],
  [{ leave_running: true }, { leaveStopped: false }],
  [{ leave_running: true, leave_stopped: true }, { leaveStopped: true }],
  [{ ext_unix_sk: true, unix_sk_ino: [{ inode: 5 }] }, { extUnixSk: true }],
  [{ manage_cgroups: false }, { manageCgroups: { value: "ignore", explicit: true } }],
  [
    { manage_cgroups: false, manage_cgroups_mode: 5 },
    { manageCgroups: { value: "strict", explicit: true } },
  ],
  [{ cpu_cap: 0xffffffff }, { cpuCap: ["fpu", "cpu", "ins"] }],
  [{ cpu_cap: 5 }, { cpuCap: ["fpu", "ins"] }],
  [{ empty_ns: 0x40000000 }, { emptyNs: ["net"] }],
  [
    { timeout: 9, mntns_compat_mode: true, unprivileged: true },
    { timeoutSeconds: 9, mntnsCompatMode: true, unprivileged: true },
  ],
  [
    {
      veths: [{ if_in: "a", if_out: "b" }],
      ext_mnt: [{ key: "k", val: "/v" }],
      external: ["net[4]:n"],
    },
    {
      external: [
        { kind: "veth", key: "a", value: "b" },
        { kind: "mnt", key: "k", value: "/v" },
        { kind: "net", key: "4", value: "n" },
      ],
    },
  ],
  [{ inherit_fd: [{ key: "pipe:[1]", fd: 4 }] }, { inheritFds: [{ fd: 4, key: "pipe:[1]" }] }],
  [
    { cg_root: [{ path: "/x" }, { ctrl: "cpu", path: "/y" }] },
    {
      cgroupRoot: [
        { controller: undefined, path: "/x" },
        { controller: "cpu", path: "/y" },
      ],
    },
  ],
  [
    { join_ns: [{ ns: "user", ns_file: "1", extra_opt: "2,3" }] },
    { joinNs: [{ ns: "user", target: "1", options: "2,3" }] },
  ],
];
test.each(cases)("%j", (fields, understood) => {
  expect(asked(fields)).toMatchObject(understood);
});

test("what a request turns off is off, whatever a configuration file said; what it can only turn on stays on", () => {
  const config = [
    "--lazy-pages",
    "--ext-unix-sk",
    "--shell-job",
    "--mntns-compat-mode",
    "--leave-stopped",
  ];
  const off = {
    lazy_pages: false,
    ext_unix_sk: false,
    shell_job: false,
    mntns_compat_mode: false,
    leave_stopped: false,
  };
  expect(asked(off, config)).toMatchObject({
    lazyPages: false,
    extUnixSk: false,
    shellJob: false,
    mntnsCompatMode: true,
    leaveStopped: true,
  });
});

test("an option is settled by the request where that says something of it, and lists only grow", () => {
  const opts = sent({
    file_locks: false,
    ext_unix_sk: false,
    manage_cgroups: true,
    external: ["a[b]"],
    mntns_compat_mode: false,
  });
  const options = [
    "--file-locks",
    "--ext-unix-sk",
    "--manage-cgroups=ignore",
    "--external a[c]",
    "--mntns-compat-mode",
    "--shell-job",
  ];
  expect(options.filter((option) => overridden(opts, option))).toEqual(options.slice(0, 3));
});

test("what only RPC can ask is no word of the command line", () => {
  for (const word of ["--orphan-pts-master", "--orphan", "--no-lazy-pages", "--no-ext-unix-sk"])
    expect(requestFrom([word], {}, undefined, () => undefined)).toMatchObject({ ok: false });
});

test("fields that no CRIU known here has are named", () => {
  const known = encode(criu_req, { type: RESTORE, opts: { images_dir_fd: 7 } } as never);
  expect(fieldsBeyond(known)).toEqual([]);
  // Field 99 of the request, a number, twice.
  const later = Buffer.concat([known, Buffer.from([0x98, 0x06, 1, 0x98, 0x06, 2])]);
  expect(fieldsBeyond(later)).toEqual(["field 99 of criu_req"]);
});
