/** CRIU's plugins, and what must be as CRIU was built with (plugin.c, sigact.c, plugins/cuda, plugins/amdgpu). */
import { join } from "pathe";
import { compareVersions } from "../criu/index.ts";
import type { Check, Context, Criu, Finding } from "./finding.ts";
import { livingTasks } from "./paths.ts";

const usual = [
  "/usr/lib/criu",
  "/usr/lib64/criu",
  "/usr/local/lib/criu",
  "/usr/lib/x86_64-linux-gnu/criu",
  "/usr/lib/aarch64-linux-gnu/criu",
];

/** Whether that CRIU is known and no older than this. */
const atLeast = (criu: Criu | undefined, version: string): boolean =>
  criu?.version !== undefined && compareVersions(criu.version, version) >= 0;

/** The plugins that had a part in the dump. */
const wanted = ({ checkpoint }: Context): string[] =>
  checkpoint.inventory?.plugins_entry?.plugins ?? [];

export const pluginMissing: Check = {
  id: "plugin-missing",
  title: "A plugin that had a part in the dump is not there",
  reads: "plugins_entry in inventory.img; --libdir, CRIU_LIBS_DIR, the usual directories",
  why:
    "A plugin saves what CRIU cannot, the state of a GPU for one. CRIU refuses to go on without it where it has a directory of plugins; " +
    "where it has none it says nothing, and that state is lost.",
  proof: "criu",
  run(context) {
    const { request, host, criu } = context;
    const given = request.libdir ?? host.variable("CRIU_LIBS_DIR");
    const shared = { id: "plugin-missing", task: null, image: "inventory.img" } as const;
    if (given !== undefined && !host.exists(given))
      return [
        {
          ...shared,
          severity: "blocker",
          subject: given,
          message: `the directory of plugins, ${given}, is not there`,
          criu_message: `Unable to open directory ${given}: No such file or directory`,
          remedy: {
            kind: "human",
            text: "name the directory that CRIU's plugins are in, or leave --libdir away",
            command: null,
          },
        },
      ];
    const places = given === undefined ? usual : [given];
    return wanted(context).flatMap((name): Finding[] => {
      if (places.some((place) => host.exists(join(place, `${name}.so`)))) return [];
      const sure = given !== undefined && atLeast(criu, "4.1");
      return [
        {
          ...shared,
          severity: sure ? "blocker" : "warning",
          subject: name,
          message: `the dump was made with the plugin ${name}, which is not in ${places.join(", ")}`,
          criu_message: sure ? `Missing required plugin: ${name}` : null,
          remedy: {
            kind: "human",
            text: "install it and name its directory with --libdir",
            command: `apt-get install criu-${name.replace(/_plugin$/, "")}-plugin`,
          },
        },
      ];
    });
  },
};

export const gpuMissing: Check = {
  id: "gpu-missing",
  title: "The tree used a GPU, and this machine has none for it",
  reads:
    "plugins_entry in inventory.img; /proc/driver/nvidia/gpus, cuda-checkpoint in PATH, /dev/kfd",
  why:
    "The plugin for CUDA turns itself off where there is no GPU or no cuda-checkpoint, without an error: the tasks come back and wait for " +
    "ever for what was on the GPU.",
  proof: "images",
  run(context) {
    const { host } = context;
    const plugins = wanted(context);
    const lacking = [
      plugins.includes("cuda_plugin") &&
        !host.exists("/proc/driver/nvidia/gpus") &&
        "/proc/driver/nvidia/gpus",
      plugins.includes("cuda_plugin") &&
        host.program("cuda-checkpoint") === undefined &&
        "cuda-checkpoint",
      plugins.includes("amdgpu_plugin") && !host.exists("/dev/kfd") && "/dev/kfd",
    ].filter((name) => name !== false);
    return lacking.map((subject) => ({
      id: "gpu-missing",
      severity: "warning",
      task: null,
      image: "inventory.img",
      subject,
      message: `the tree used a GPU, and this machine has no ${subject}: its work there would be lost without an error`,
      criu_message: null,
      remedy: {
        kind: "human",
        text: "restore on a machine with the same GPU and its driver",
        command: null,
      },
    }));
  },
};

/** SIGMAX - 2: all signals that can have an action. */
const ACTIONS = 62;

export const sigactionsCount: Check = {
  id: "sigactions-count",
  title: "The images do not have an action for each signal",
  reads: "sigactions in core-*.img",
  why: "CRIU reads one action for each signal but SIGKILL and SIGSTOP, in order, and takes no other number of them.",
  proof: "criu",
  run: ({ checkpoint, host }) =>
    host.architecture !== "x64"
      ? []
      : livingTasks(checkpoint).flatMap((task): Finding[] => {
          const count = task.core?.tc?.sigactions.length ?? 0;
          if (count === 0 || count === ACTIONS) return [];
          return [
            {
              id: "sigactions-count",
              severity: "blocker",
              task: task.pid,
              image: `core-${task.pid}.img`,
              subject: `task ${task.pid}`,
              message: `task ${task.pid} has the actions of ${count} signals, not of ${ACTIONS}`,
              criu_message: `Bad number of sigactions in the image (${count}, want ${ACTIONS})`,
              remedy: {
                kind: "human",
                text: "take another copy of the checkpoint: this one is damaged",
                command: null,
              },
            },
          ];
        }),
};

/** From here on a kernel without chosen timer ids spends seconds on counting up to one. */
const MANY = 1_000_000;

export const timerId: Check = {
  id: "timer-id",
  title: "A timer has a number that takes long to count up to",
  reads: "posix timers in core-*.img; CRIU's version",
  why:
    "Before CRIU 4.2 (and Linux 6.15) a timer gets its old number only by making and removing timers until the number comes up. A task " +
    "that made millions of timers is restored very slowly.",
  proof: "images",
  run: ({ checkpoint, criu }) =>
    livingTasks(checkpoint).flatMap((task): Finding[] => {
      const most = (task.core?.tc?.timers?.posix ?? []).reduce(
        (m, { it_id }) => Math.max(m, it_id),
        0,
      );
      if (most < MANY || atLeast(criu, "4.2")) return [];
      return [
        {
          id: "timer-id",
          severity: "warning",
          task: task.pid,
          image: `core-${task.pid}.img`,
          subject: `timer ${most}`,
          message: `task ${task.pid} has a timer of the number ${most}: CRIU makes and removes as many before`,
          criu_message: null,
          remedy: {
            kind: "human",
            text: "restore with CRIU 4.2 on Linux 6.15 or later",
            command: null,
          },
        },
      ];
    }),
};
