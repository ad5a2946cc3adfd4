import type { Check } from "../finding.ts";
import { livingTasks } from "../paths.ts";

/** core_entry.mtype by Node's name of the architecture, with the name that people use. */
const machines: Readonly<Record<number, readonly [node: string, name: string]>> = {
  1: ["x64", "x86_64"],
  2: ["arm", "arm"],
  3: ["arm64", "aarch64"],
  4: ["ppc64", "ppc64"],
  5: ["s390x", "s390"],
  6: ["mips64el", "mips"],
  7: ["loong64", "loongarch64"],
  8: ["riscv64", "riscv64"],
};

export const archMismatch: Check = {
  title: "The checkpoint is of another kind of machine",
  reads: "mtype in core-*.img; this machine's architecture",
  why: "Memory and registers of a process mean something on its own architecture only.",
  proof: "criu",
  run({ checkpoint, host }) {
    const strange = livingTasks(checkpoint).find(({ core }) => {
      const machine = machines[core?.mtype ?? 0];
      return machine !== undefined && machine[0] !== host.architecture;
    });
    if (strange === undefined) return [];
    const type = strange.core!.mtype;
    return [
      {
        severity: "blocker",
        task: strange.pid,
        image: `core-${strange.pid}.img`,
        subject: machines[type]![1],
        message: `the tree ran on ${machines[type]![1]}, and this machine is ${host.architecture}`,
        criu_message: `Core march mismatch ${type}`,
        remedy: {
          kind: "human",
          text: `restore it on a machine with ${machines[type]![1]}`,
        },
      },
    ];
  },
};
