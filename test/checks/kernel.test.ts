/** Kernels and machines that cannot be had here, made up: what each lacks is named. */
import { expect, test } from "bun:test";
import { guardPages } from "../../src/checks/kernel/guard-pages.ts";
import { rseqMissing } from "../../src/checks/kernel/rseq-missing.ts";
import { vdsoMissing } from "../../src/checks/kernel/vdso-missing.ts";
import { sysctlMissing } from "../../src/checks/sockets/sysctl-missing.ts";
import { namespaceLimit } from "../../src/checks/tree/namespace-limit.ts";
import { timeNamespace } from "../../src/checks/tree/time-namespace.ts";
import { usernsMap } from "../../src/checks/tree/userns-map.ts";
import { gpuMissing } from "../../src/checks/kernel/gpu-missing.ts";
import { timerId } from "../../src/checks/tree/timer-id.ts";
import type { Host } from "../../src/host/index.ts";
import { fixture, image } from "../image/fixture.ts";
import { type Faked, withContext } from "./context.ts";

const ids = { vm_id: 1, files_id: 2, fs_id: 3, sighand_id: 4 };
const theirs = { pid_ns_id: 1, net_ns_id: 2, mnt_ns_id: 6, user_ns_id: 7, time_ns_id: 5 };

/** The fixture's tree in namespaces of which some are its own. */
const inNamespaces = (own: object) => ({
  ...fixture(),
  "inventory.img": image("inventory.img", [
    { img_version: 2, ns_per_id: true, root_ids: { ...ids, ...theirs } },
  ]),
  "ids-10.img": image("ids-10.img", [{ ...ids, ...theirs, ...own }]),
});

/** A host on which these files say this; undefined ones are not there. */
const host = (files: Record<string, string | undefined>): Partial<Host> => ({
  read: (path) => files[path],
  exists: (path) => files[path] !== undefined,
});

test("namespace-limit: 0 of a kind that the tree needs", () => {
  const images = inNamespaces({ net_ns_id: 12, user_ns_id: 17 });
  const files = {
    "/proc/sys/user/max_net_namespaces": "0\n",
    "/proc/sys/user/max_user_namespaces": "4096\n",
    "/proc/sys/user/max_ipc_namespaces": "0\n",
  };
  withContext(images, { host: host(files) }, (context) => {
    expect(namespaceLimit.run(context)).toMatchObject([
      {
        severity: "blocker",
        subject: "/proc/sys/user/max_net_namespaces",
        remedy: { command: "sysctl -w user.max_net_namespaces=1024" },
      },
    ]);
  });
  const joined = { host: host(files), options: ["--join-ns", "net:/run/netns/other"] };
  expect(withContext(images, joined, (context) => namespaceLimit.run(context))).toEqual([]);
});

test("namespace-limit: every dumped tree gets a time namespace for its clocks", () => {
  const images = { ...inNamespaces({}), "timens-0.img": new Uint8Array(8) };
  const files = {
    "/proc/self/timens_offsets": "",
    "/proc/sys/user/max_time_namespaces": "0",
  };
  const run = (faked: Faked) =>
    withContext(images, faked, (context) => namespaceLimit.run(context));
  expect(run({ host: host(files) })).toMatchObject([
    { subject: "/proc/sys/user/max_time_namespaces" },
  ]);
  expect(run({ host: host(files), options: ["--unprivileged"] })).toEqual([]);
  expect(run({ host: host({ ...files, "/proc/self/timens_offsets": undefined }) })).toEqual([]);
});

test("time-namespace: only where the tree had one and the kernel has none", () => {
  const run = (own: object, files: Record<string, string>) =>
    withContext(inNamespaces(own), { host: host(files) }, (context) => timeNamespace.run(context));
  expect(run({ time_ns_id: 15 }, {})).toMatchObject([{ severity: "blocker" }]);
  expect(run({ time_ns_id: 15 }, { "/proc/self/timens_offsets": "" })).toEqual([]);
  expect(run({}, {})).toEqual([]);
});

test("userns-map: ids that the namespace around does not have", () => {
  const extent = { first: 0, lower_first: 100_000, count: 65_536 };
  const images = {
    ...inNamespaces({ user_ns_id: 17 }),
    "userns-17.img": image("userns-17.img", [{ uid_map: [extent], gid_map: [extent] }]),
  };
  const run = (uid: string, gid: string) =>
    withContext(
      images,
      { host: host({ "/proc/self/uid_map": uid, "/proc/self/gid_map": gid }) },
      (context) => usernsMap.run(context),
    );
  const all = "         0          0 4294967295\n";
  expect(run(all, all)).toEqual([]);
  expect(run(all, "0 1000 65536\n")).toMatchObject([
    {
      subject: "gid_map 100000-165535",
      criu_message: "Unable to write into gid_map",
    },
  ]);
});

test("sysctl-missing: a kernel without IPv6 cannot take IPv6 settings", () => {
  const number = (iarg?: number) => (iarg === undefined ? { type: 6 } : { type: 6, iarg });
  const netns = {
    all_conf4: [number(0)],
    def_conf4: [number()],
    all_conf6: [number(1), number(1)],
    unix_conf: [number(10)],
  };
  const images = {
    ...inNamespaces({ net_ns_id: 12 }),
    "netns-12.img": image("netns-12.img", [netns]),
  };
  const files = {
    "/proc/sys/net/ipv4/conf/all/accept_local": "0",
    "/proc/sys/net/unix/max_dgram_qlen": "10",
  };
  const run = (options: string[]) =>
    withContext(images, { host: host(files), options }, (context) => sysctlMissing.run(context));
  expect(run([])).toMatchObject([
    {
      subject: "net/ipv6/conf/all/accept_dad net/ipv6/conf/all/accept_ra",
      criu_message:
        "sysctl: Can't open sysctl net/ipv6/conf/all/accept_dad: No such file or directory",
      remedy: { option: "--weak-sysctls", automatic: false },
    },
  ]);
  expect(run(["--weak-sysctls"])).toEqual([]);
  expect(run(["--empty-ns", "net"])).toEqual([]);
});

const addresses = Object.fromEntries(
  ["code", "data"].flatMap((part) => [
    [`mm_start_${part}`, 0n],
    [`mm_end_${part}`, 0n],
  ]),
);
const mm = {
  ...addresses,
  mm_start_stack: 0n,
  mm_start_brk: 0n,
  mm_brk: 0n,
  mm_arg_start: 0n,
  mm_arg_end: 0n,
  mm_env_start: 0n,
  mm_env_end: 0n,
  exe_file_id: 2,
};

/** The fixture's tree with one mapping of this status. */
const mapping = (status: number) => ({
  ...fixture(),
  "mm-10.img": image("mm-10.img", [
    {
      ...mm,
      vmas: [
        { start: 4096n, end: 8192n, pgoff: 0n, shmid: 0n, prot: 5, flags: 2, status, fd: -1n },
      ],
    },
  ]),
});

test("vdso-missing: a kernel started with vdso=0", () => {
  const run = (status: number, maps: string) =>
    withContext(mapping(status), { host: host({ "/proc/self/maps": maps }) }, (context) =>
      vdsoMissing.run(context),
    );
  expect(run(1 << 3, "7f00-7f01 r-xp 0 0:0 0 [stack]\n")).toMatchObject([
    { severity: "blocker", task: 10 },
  ]);
  expect(run(1 << 3, "7f00-7f01 r-xp 0 0:0 0 [vdso]\n")).toEqual([]);
  expect(run(1, "")).toEqual([]);
});

test("guard-pages: before Linux 6.13", () => {
  const run = (kernel: string, version = "4.2") =>
    withContext(mapping(1 << 16), { version, host: { kernel } }, (context) =>
      guardPages.run(context),
    );
  expect(run("6.12.41")).toMatchObject([{ task: 10 }]);
  expect(run("6.12.41", "4.1.1")).toEqual([]);
  expect(run("6.13.0-rc1")).toEqual([]);
  expect(run("unknown")).toEqual([]);
});

const thread = { futex_rla: 0n, futex_rla_len: 0 };

test("rseq-missing: before Linux 4.18", () => {
  const rseq_entry = { rseq_abi_pointer: 4096n, rseq_abi_size: 32, signature: 1 };
  const images = {
    ...fixture(),
    "core-11.img": image("core-11.img", [{ mtype: 1, thread_core: { ...thread, rseq_entry } }]),
  };
  const run = (kernel: string) =>
    withContext(images, { host: { kernel } }, (context) => rseqMissing.run(context));
  expect(run("4.15.0-20-generic")).toMatchObject([{ task: 10, image: "core-11.img" }]);
  expect(run("4.18.0")).toEqual([]);
});

test("gpu-missing: each thing that the plugin turns itself off without", () => {
  const images = {
    ...fixture(),
    "inventory.img": image("inventory.img", [
      {
        img_version: 2,
        root_ids: { ...ids, ...theirs },
        plugins_entry: { plugins: ["cuda_plugin"] },
      },
    ]),
  };
  const run = (files: Record<string, string>, program: string | undefined) =>
    withContext(images, { host: { ...host(files), program: () => program } }, (context) =>
      gpuMissing.run(context),
    );
  expect(run({}, undefined)).toMatchObject([
    { severity: "warning", subject: "/proc/driver/nvidia/gpus" },
    { subject: "cuda-checkpoint" },
  ]);
  expect(run({ "/proc/driver/nvidia/gpus": "" }, "/usr/bin/cuda-checkpoint")).toEqual([]);
});

test("timer-id: CRIU before 4.2 counts up to it", () => {
  const none = { isec: 0n, iusec: 0n, vsec: 0n, vusec: 0n };
  const posix = { it_id: 5_000_000, clock_id: 1, si_signo: 14, it_sigev_notify: 0, sival_ptr: 0n };
  const spec = { overrun: 0, isec: 0n, insec: 0n, vsec: 0n, vnsec: 0n };
  const tc = {
    task_state: 1,
    exit_code: 0,
    personality: 0,
    flags: 0,
    blk_sigset: 0n,
    comm: "task",
    timers: { real: none, virt: none, prof: none, posix: [{ ...posix, ...spec }] },
  };
  const images = {
    ...fixture(),
    "core-10.img": image("core-10.img", [{ mtype: 1, tc, thread_core: thread }]),
  };
  const run = (version: string) =>
    withContext(images, { version }, (context) => timerId.run(context));
  expect(run("4.1.1")).toMatchObject([{ severity: "warning", task: 10 }]);
  expect(run("4.2")).toEqual([]);
});
