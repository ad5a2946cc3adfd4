import { type RecriuOption, recriuOptions } from "../criu/index.ts";
import { lackOf } from "../checks/images/no-checkpoint.ts";
import { thisHost } from "../host/index.ts";
import { openCheckpoint, withPaths } from "../image/index.ts";
import type { VerifyDocument } from "../report/documents.ts";
import { printVerdict } from "../report/text.ts";
import { initOf, rootsInside } from "../isolate/numbers.ts";
import { refused, said, tellLines, type Told } from "../report/told.ts";
import { exitCode } from "../report/outcome.ts";
import { findRoot, liveTree, verify, withMemory } from "../verify/index.ts";
import type { Command } from "./command.ts";
import { findImages } from "./found.ts";
import { criuHelp, recriuArgs, understand } from "./request.ts";

const options: readonly RecriuOption[] = [
  { name: "pid", arg: "required", value: "PID", help: "the root task's pid on this machine" },
  { name: "verify", arg: "required", value: "memory", help: "compare what is in memory, too" },
  ...recriuOptions.filter(({ name }) => name === "sched-prio" || name === "map-path"),
  { name: "json", arg: "none", help: "one JSON document on stdout" },
];

export const appendix = criuHelp;

export const command: Command = {
  meta: {
    name: "verify",
    description:
      "Compare a live tree with the images it was restored from. Give it the options it was restored with.",
  },
  args: recriuArgs(options),
  async run({ rawArgs }): Promise<Told> {
    const understood = understand("verify", rawArgs, options);
    if (!understood.ok) return understood.told;
    const { request, settings } = understood;
    using found = await findImages(request.imagesDir);
    if ("problem" in found) return refused("verify", found.exit, found.problem);
    if (found.archived && settings.verify === "memory")
      return refuse(
        "of an archive the page data is not unpacked: unpack it (tar -xf) to compare memory",
      );
    const opened = openCheckpoint(found.dir);
    if (!opened.ok) return refuse(`${opened.fault.file}: ${opened.fault.problem}`);
    const checkpoint = withPaths(opened.checkpoint, settings.mapPath);
    const lack = lackOf(checkpoint, thisHost());
    if (lack?.id === "no-checkpoint")
      return refuse(`${checkpoint.dir} ${lack.message}; ${lack.text}`);
    if (checkpoint.root === undefined) {
      const lines = checkpoint.faults.map(
        ({ file, problem }) => said`recriu verify: ${file}: ${problem}`,
      );
      return { exit: exitCode.images, lines };
    }
    const pidWord = settings.onCommandLine.get("pid");
    if (pidWord !== undefined && !/^[1-9]\d*$/.test(pidWord)) {
      return refuse(`--pid takes a process id, not ${pidWord}`);
    }
    const { root } = checkpoint;
    const here = pidWord === undefined ? findRoot(checkpoint) : Number(pidWord);
    const [pid, ...others] = here === undefined ? rootsInside(checkpoint) : [here];
    if (pid === undefined || others.length > 0)
      return refused(
        "verify",
        exitCode.verification,
        pid === undefined
          ? `no live process is task ${root.pid} of these images; where the tree has another number, --pid names it`
          : `several trees have been restored in namespaces of their own: --pid names one of ${[pid, ...others].join(", ")}`,
      );
    const init = initOf(pid);
    const inside = init === undefined ? null : root.pid;
    const asked = settings.onCommandLine.get("verify");
    if (asked !== undefined && asked !== "memory")
      return refuse(`--verify takes memory here, not ${asked}`);
    const live = liveTree(checkpoint, pid, false, init);
    const structure = verify(checkpoint, request, live, { lostPriority: settings.schedPrio });
    const verdict =
      settings.verify === "memory" ? withMemory(structure, checkpoint, request, live) : structure;
    const exit = verdict.result === "match" ? exitCode.ok : exitCode.verification;
    if (settings.json)
      return {
        exit,
        json: {
          images: request.typed.get(request.imagesDir) ?? request.imagesDir,
          pid,
          pid_inside: inside,
          verdict,
        } satisfies VerifyDocument,
      };
    if (inside !== null) tellLines([said`process ${pid}, inside ${inside}`]);
    printVerdict(verdict);
    const written = verdict.differences.some(
      (each) => each.facet === "memory" && each.class === "changed",
    );
    const lines = [
      said`what a running tree has written since cannot be told from what was wrong before`,
    ];
    return { exit, ...(written && { lines }) };
  },
};

const refuse = (problem: string): Told => refused("verify", exitCode.usage, problem);
