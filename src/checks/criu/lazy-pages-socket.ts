import { sh } from "../../sys/shell.ts";
import { imagesLater } from "../again.ts";
import type { Check } from "../finding.ts";

export const lazyPagesSocket: Check = {
  title: "No `criu lazy-pages` serves the memory of a lazy restore",
  reads: "--lazy-pages; lazy-pages.socket in the work directory and /proc/net/unix",
  why: "With --lazy-pages CRIU hands every page fault to `criu lazy-pages`, which must listen in the same work directory before the restore begins.",
  proof: "criu",
  waits: true,
  run(context) {
    const { host, request } = context;
    if (!request.lazyPages) return [];
    const socket = `${request.workDir}/lazy-pages.socket`;
    // The daemon binds the name as it stands in its own work directory: /proc/net/unix has no more than that.
    const served = host.unixSockets.some(
      ({ path, listening }) => listening && path === "lazy-pages.socket",
    );
    const there = host.exists(socket);
    if (there && served) return [];
    return [
      {
        // A daemon in another network namespace can be reached, but is not in our list.
        severity: there ? "warning" : "blocker",
        image: "",
        subject: socket,
        message: there
          ? `${socket} is there, but no process listens on it`
          : `${socket} is not there: \`criu lazy-pages\` does not run in this work directory`,
        criu_message: `uffd: connect to lazy-pages.socket failed: ${there ? "Connection refused" : "No such file or directory"}`,
        remedy: {
          kind: "human",
          text: "start it first, with the same images and the same work directory",
          command: sh`criu lazy-pages -d -D ${imagesLater(context)} -W ${request.workDir}`,
        },
      },
    ];
  },
};
