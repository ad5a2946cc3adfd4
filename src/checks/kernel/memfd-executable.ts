import { knows } from "../../criu/index.ts";
import { memfd_inode_entry } from "../../image/tables/files.ts";
import { raised } from "../settings.ts";
import { setting } from "../files/kernel-objects.ts";
import type { Check, Problem } from "../finding.ts";

export const memfdExecutable: Check = {
  title: "A memory file may not be executable here",
  reads: "mode in memfd.img; vm.memfd_noexec",
  why:
    "Where vm.memfd_noexec is 1 or 2, memfd_create(2) makes files that never can be executable, unless asked otherwise, which CRIU " +
    "does not do. Giving such a file its old mode is then refused; programs that do not ask either have executable ones as a rule.",
  proof: "criu",
  answers: ["host", "person"],
  run(context) {
    const noexec = setting(context, "vm/memfd_noexec");
    if (noexec === undefined || !(noexec >= 1)) return [];
    if (!knows(context.criu?.version, "memfdModes", true)) return [];
    return context.checkpoint
      .values("memfd.img", memfd_inode_entry)
      .values()
      .flatMap(({ name, mode = 0 }): Problem[] => {
        if ((mode & 0o111) === 0) return [];
        return [
          {
            severity: "blocker",
            image: "memfd.img",
            subject: name,
            message: `the memory file ${name} has mode ${(mode & 0o7777).toString(8)}, and vm.memfd_noexec forbids executable ones`,
            criu_message: `of memfd:${name}: Operation not permitted`,
            remedy: raised("vm/memfd_noexec", {
              from: noexec,
              to: 0,
              stays: false,
              text: "allow them while the restore runs",
            }),
          },
        ];
      });
  },
};
