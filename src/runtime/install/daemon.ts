/**
 * The words that a runtime's daemon is started with, which go over its configuration file or name another: those of the one
 * that runs, else of its systemd unit.
 */
import { closeSync, readFileSync } from "node:fs";
import { identityOf } from "../../host/paths.ts";
import { listProcesses, procFile } from "../../host/processes.ts";
import { openRegular } from "../../sys/regular.ts";
import { basename } from "../../sys/path.ts";
import { findRuntime, saidBy } from "../real.ts";
import type { Target } from "./targets.ts";

interface Started {
  /** Without the program itself. */
  readonly words: readonly string[];
  /** Where that was seen. */
  readonly by: string;
}

interface Daemon {
  readonly program: string;
  readonly unit: string;
  /** The file or directory that recriu writes to, and the flags that name another. */
  readonly reads: string;
  readonly flags: readonly string[];
}

const daemons: Partial<Record<Target, Daemon>> = {
  docker: {
    program: "dockerd",
    unit: "docker.service",
    reads: "/etc/docker/daemon.json",
    flags: ["--config-file"],
  },
  containerd: {
    program: "containerd",
    unit: "containerd.service",
    reads: "/etc/containerd/config.toml",
    flags: ["--config", "-config", "-c"],
  },
  crio: {
    program: "crio",
    unit: "crio.service",
    reads: "/etc/crio/crio.conf.d",
    flags: ["--config-dir", "-d"],
  },
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined: there is no daemon, or neither it nor its unit is seen. */
export function startedWith(target: Target, env: Environment): Started | undefined {
  const daemon = daemons[target];
  return daemon && (running(daemon) ?? unitOf(daemon, env));
}

/** What of a flag's name a daemon was given; of several the last. */
export function flagOf({ words }: Started, names: readonly string[]): string | undefined {
  const at = words.findLastIndex((word) => names.includes(word.split("=")[0]!));
  const [, ...value] = words[at]?.split("=") ?? [];
  return value.length > 0 ? value.join("=") : at < 0 ? undefined : words[at + 1];
}

/** Why what recriu writes is not read by a daemon that was started so. */
export function readsElsewhere(target: Target, started: Started | undefined): string | undefined {
  const daemon = daemons[target];
  if (daemon === undefined || started === undefined) return undefined;
  const { program, reads, flags } = daemon;
  const named = flagOf(started, flags);
  return named === undefined || named === reads
    ? undefined
    : `${program} reads ${named}, and not ${reads} (${started.by})`;
}

/** One in this root and mount namespace: others have other files, and Docker has a containerd of its own. */
function running({ program }: Daemon): Started | undefined {
  const processes = listProcesses();
  const names = new Map(processes.map(({ pid, comm }) => [pid, comm]));
  const here = (pid: number) =>
    ["root", "ns/mnt"].every(
      (name) => identityOf(`/proc/${pid}/${name}`) === identityOf(`/proc/self/${name}`),
    );
  for (const { pid, ppid, comm } of processes) {
    if (comm !== program || names.get(ppid) === "dockerd" || !here(pid)) continue;
    const [first = "", ...words] = (procFile(pid, "cmdline") ?? "").split("\0");
    if (basename(first) === program) return { words: words.slice(0, -1), by: `process ${pid}` };
  }
  return undefined;
}

/** systemd's own reading of the unit, drop-ins and all. */
function unitOf({ unit }: Daemon, env: Environment): Started | undefined {
  const { path } = findRuntime("systemctl", env["PATH"]);
  if (path === undefined) return undefined;
  const said = saidBy([path, "show", unit, "-p", "ExecStart,Environment,EnvironmentFiles"]);
  const argv = /^ExecStart=\{.* argv\[\]=(\S+ ?.*?) ; /m.exec(said)?.[1];
  if (argv === undefined) return undefined;
  const [, ...words] = argv.split(" ");
  const files = [...said.matchAll(/^EnvironmentFiles=(.*?)(?: \(.*)?$/gm)].map(([, file]) => file!);
  const set = [
    /^Environment=(.*)$/m.exec(said)?.[1]?.replaceAll(" ", "\n") ?? "",
    ...files.map(textOf),
  ];
  const variables = new Map(
    [...set.join("\n").matchAll(/^\s*(\w+)=(["']?)(.*)\2\s*$/gm)].map(([, name, , value]) => [
      name!,
      value!,
    ]),
  );
  // $NAME is split into words, ${NAME} is one, systemd.service(5).
  const expanded = words.flatMap((word) =>
    /^\$\w+$/.test(word)
      ? (variables.get(word.slice(1)) ?? "").split(/\s+/).filter((each) => each !== "")
      : [word.replace(/\$\{(\w+)\}/g, (_, name) => variables.get(name) ?? "")],
  );
  return { words: expanded, by: unit };
}

function textOf(file: string): string {
  const opened = openRegular(file);
  if (!opened.ok) return "";
  try {
    return readFileSync(opened.fd, "utf8");
  } finally {
    closeSync(opened.fd);
  }
}
