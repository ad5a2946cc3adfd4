/** The commands. `main` finds the one that is asked for and returns the exit code. */
import { version } from "../report/version.ts";
import type { Command } from "./command.ts";

type Load = () => Promise<{ command: Command; appendix?: () => string }>;

/** The commands by name, each loaded when it is asked for; man pages and completions are made from them, too. */
export const commands: Record<string, { description: string; load: Load }> = {
  restore: {
    description: "restore a checkpoint: preflight, repair, run CRIU, verify",
    load: () => import("./restore.ts"),
  },
  preflight: {
    description: "name everything that would break the restore; change nothing",
    load: () => import("./preflight.ts"),
  },
  verify: {
    description: "compare a live tree with the images it was restored from",
    load: () => import("./verify.ts"),
  },
  show: { description: "show what is in a checkpoint", load: () => import("./show.ts") },
  memory: {
    description: "show a task's memory in a checkpoint, or search it",
    load: () => import("./memory.ts"),
  },
  diff: { description: "compare two checkpoints", load: () => import("./diff.ts") },
  explain: {
    description: "explain a check, or a line of a CRIU log",
    load: () => import("./explain.ts"),
  },
  seal: {
    description: "write down what a checkpoint's images are, so that damage is found",
    load: () => import("./seal.ts"),
  },
  pack: {
    description: "make one archive of a sealed checkpoint and all that restores it",
    load: () => import("./pack.ts"),
  },
  undo: {
    description: "take back the repairs of a recriu that was killed",
    load: () => import("./undo.ts"),
  },
  last: {
    description: "show why the last restore was refused or failed",
    load: () => import("./last.ts"),
  },
  doctor: {
    description: "show what this machine offers a restore",
    load: () => import("./doctor.ts"),
  },
  install: {
    description: "put recriu in the path of Podman, Docker, containerd, CRI-O, runc, crun or criu",
    load: () => import("./install.ts"),
  },
  uninstall: {
    description: "take it out again, and give back what was there",
    load: () => import("./uninstall.ts"),
  },
  completion: {
    description: "print the completion of recriu's words for a shell",
    load: () => import("./completion.ts"),
  },
};

/** Run `recriu WORDS…`. */
export async function main(words: readonly string[]): Promise<number> {
  const [name, ...rawArgs] = words;
  if (name === "--version" || name === "-V" || name === "version") {
    return (await import("../report/told.ts")).tell({ exit: 0, text: `recriu ${version}` });
  }
  if (name === "help" && rawArgs[0] !== undefined) return main([rawArgs[0], "--help"]);
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const { overview } = await import("./help.ts");
    return (await import("../report/told.ts")).tell({ exit: 0, text: overview() });
  }
  const found = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (found === undefined) {
    const { said, tell } = await import("../report/told.ts");
    const { exitCode } = await import("../report/outcome.ts");
    const { near } = await import("./near.ts");
    const meant = near(name, Object.keys(commands));
    const problem = said`recriu: there is no command ${name}${meant}; recriu --help lists them`;
    return tell({ exit: exitCode.usage, lines: [problem] }, rawArgs.includes("--json"));
  }
  const { command, appendix } = await found.load();
  const end = rawArgs.indexOf("--");
  const { tell } = await import("../report/told.ts");
  const options = rawArgs.slice(0, end < 0 ? undefined : end);
  if (appendix !== undefined && options.includes("--help-criu"))
    return tell({ exit: 0, text: appendix() });
  if (options.some((word) => word === "--help" || word === "-h")) {
    const { helpOf } = await import("./help.ts");
    return tell({ exit: 0, text: helpOf(command, appendix !== undefined) });
  }
  const json = rawArgs.includes("--json");
  try {
    return tell(await command.run({ rawArgs }), json);
  } catch (error) {
    const { unable } = await import("../report/unable.ts");
    return tell(unable(name, error, json), json);
  }
}
