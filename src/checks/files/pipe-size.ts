import { pipe_data_entry } from "../../image/tables/files.ts";
import type { Check, Problem } from "../finding.ts";
import { CAP_SYS_RESOURCE, has } from "../rights/capabilities.ts";
import { raised } from "../settings.ts";
import { setting } from "./kernel-objects.ts";

export const pipeSize: Check = {
  title: "A pipe is larger than this machine allows",
  reads: "pipes-data.img and fifo-data.img; fs.pipe-max-size, own capabilities",
  why: "A program with CAP_SYS_RESOURCE may make pipes of any size, others up to a limit. CRIU gives each pipe its old size and stops when that is refused.",
  proof: "criu",
  answers: ["host", "person"],
  run(context) {
    const most = setting(context, "fs/pipe-max-size");
    const { capabilities } = context.host;
    const able = has(capabilities, CAP_SYS_RESOURCE) && !context.namespaces.created.user;
    if (most === undefined || able) return [];
    return ["pipes-data.img", "fifo-data.img"].values().flatMap((image) =>
      context.checkpoint
        .values(image, pipe_data_entry)
        .values()
        .flatMap(({ pipe_id, size = 0 }): Problem[] => {
          if (size <= most) return [];
          return [
            {
              severity: "blocker",
              image,
              subject: `pipe 0x${pipe_id.toString(16)}`,
              message: `a pipe has room for ${size} bytes, and fs.pipe-max-size is ${most}`,
              criu_message: "Can't restore pipe size: Operation not permitted",
              remedy: raised("fs/pipe-max-size", { from: most, to: size, stays: false }),
            },
          ];
        }),
    );
  },
};
