/** What a request of CRIU's RPC asks of options that are more than one of its fields (setup_opts_from_req in cr-service.c). */
import { CLONE_NEWNET } from "../sys/linux.ts";
import type { Rpc } from "./option.ts";
import type { RpcOptions } from "./rpc-messages.ts";
import { cpuCapWords } from "./values.ts";

const from = <const F extends readonly (keyof RpcOptions)[]>(fields: F, values: Rpc["values"]) => ({
  fields,
  values,
});

/** A field that can only turn its option on. */
export const turnedOn = <const F extends keyof RpcOptions>(field: F) =>
  from([field], (opts) => (opts[field] ? [true] : []));

/** Of the two the other counts, wherever they stand. */
export const leaveRunning = from(["leave_running"], ({ leave_running, leave_stopped }) =>
  leave_running && !leave_stopped ? [true] : [],
);

/** A field that no word says again: whoever needs it reads the request. */
export const unsaid = <const F extends keyof RpcOptions>(field: F) => from([field], () => []);

export const imagesDir = from(
  ["images_dir_fd", "images_dir"],
  ({ images_dir_fd: fd, images_dir = "." }, directory) => [fd === -1 ? images_dir : directory(fd)],
);

export const workDir = from(["work_dir_fd"], ({ work_dir_fd: fd }, directory) =>
  fd === undefined ? [] : [directory(fd)],
);

/** CRIU's name for a log that no option names. */
const DEFAULT_LOG = "criu.log";
export const logFile = from(["log_file", "log_to_stderr"], ({ log_file, log_to_stderr }) =>
  log_file === undefined && log_to_stderr ? [] : [log_file ?? DEFAULT_LOG],
);

export const extUnixSk = from(["ext_unix_sk", "unix_sk_ino"], ({ ext_unix_sk, unix_sk_ino }) => {
  if (ext_unix_sk === undefined) return [];
  return [ext_unix_sk && unix_sk_ino.map(({ inode }) => inode).join(",")];
});

export const cpuCap = from(["cpu_cap"], ({ cpu_cap }) =>
  cpu_cap === undefined ? [] : [cpuCapWords(cpu_cap)],
);

export const emptyNs = from(["empty_ns"], ({ empty_ns = 0 }) =>
  (empty_ns & CLONE_NEWNET) === 0 ? [] : ["net"],
);

/** criu_cg_mode; the seventh is CRIU's default. */
const DEFAULT_CGROUP_MODE = "soft";
const cgroupModes = ["ignore", "none", "props", "soft", "full", "strict", DEFAULT_CGROUP_MODE];
export const manageCgroups = {
  ...from(["manage_cgroups_mode", "manage_cgroups"], ({ manage_cgroups_mode, manage_cgroups }) => {
    const mode =
      manage_cgroups_mode === undefined
        ? manage_cgroups && DEFAULT_CGROUP_MODE
        : cgroupModes[manage_cgroups_mode];
    return mode === undefined ? [] : [mode || "ignore"];
  }),
  standard: DEFAULT_CGROUP_MODE,
};

export const veths = from(["veths"], (opts) =>
  opts.veths.map(({ if_in, if_out }) => `${if_in}=${if_out}`),
);

export const extMounts = from(["auto_ext_mnt", "ext_mnt"], ({ auto_ext_mnt, ext_mnt }) => [
  ...(auto_ext_mnt === undefined ? [] : [auto_ext_mnt && "auto"]),
  ...ext_mnt.map(({ key, val }) => `${key}:${val}`),
]);

export const joinNs = from(["join_ns"], ({ join_ns }) =>
  join_ns.map(
    ({ ns, ns_file, extra_opt }) => `${ns}:${ns_file}${extra_opt ? `,${extra_opt}` : ""}`,
  ),
);

export const inheritFds = from(["inherit_fd"], ({ inherit_fd }) =>
  inherit_fd.map(({ key, fd }) => `fd[${fd}]:${key}`),
);

export const cgroupRoots = from(["cg_root"], ({ cg_root }) =>
  cg_root.map(({ ctrl, path }) => (ctrl === undefined ? path : `${ctrl}:${path}`)),
);
