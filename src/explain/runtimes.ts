/** The program that runs CRIU says where its log is, and often deletes it: which log a line names, and how one is kept. */
import { typedWord } from "../sys/shell.ts";
import type { Explanation } from "./index.ts";

/** The path that a line names as CRIU's log: runc, crun, containerd, Docker, Podman, CRI-O, LXC. */
export function logNamed(text: string): string | undefined {
  // Where no CRIU was found, or looked for, there is none, though its path stands there.
  if (
    /\bexec: \\?"criu\\?": executable file not found\b|\bunknown command (?:checkpoint|restore)\b/.test(
      text,
    )
  )
    return undefined;
  // A window broke it there.
  const path = namedIn(text.replace("/criu-dump. log", "/criu-dump.log"));
  return path !== undefined && ofDaemon.test(path) ? undefined : path;
}

/** Of engines, which is none of CRIU's. */
const ofDaemon =
  /(?:^|\/)(?:lx[cd]|incusd?|dockerd?|containerd|crio|kubelet|podman|syslog|messages|console)\.log$/;

function namedIn(text: string): string | undefined {
  const match =
    /\blog ?file:?\s+["'`]?([^\s"'`\\]+\.log)\b/i.exec(text) ??
    /(?<![^\s"'`=])(\/[^\s"'`\\]{1,300}\/criu-dump\.log)\b/.exec(text) ??
    /(?:\bpath= ?|\blog was saved in |excerpt from CRIU log |Quoting |[Ss]ee |[Cc]heck (?:the )?|from the CRIU )["'`\\]*(\/[^\s"'`\\]+\.log)\b/.exec(
      text,
    );
  return match?.[1] ?? ofCommand.exec(text)?.[1];
}

/** Of a command line of criu's. */
const ofCommand =
  /\bcriu\s(?:[^\n]{0,300}?\s)?(?:-o ?|--log-file[ =])([^\s"'`-][^\s"'`]{0,300}\.log)\b/;

/**
 * The log of a checkpoint or restore whose command line is shown: where its --work-path is whole, or the directory in which
 * Podman and CRI-O keep a container's.
 */
export function logOfCommand(text: string): string | undefined {
  const ofLxc = lxcDirectory.exec(text)?.[1];
  if (ofLxc !== undefined)
    return `${ofLxc.replace(/\/$/, "")}/${/ -r\b| --restore\b/.test(text) ? "restore" : "dump"}.log`;
  const verb = /\b(checkpoint|restor)(?:e|ing)?\b/.exec(text)?.[1];
  const [, work, kept] = workPath.exec(text) ?? [];
  const dir = work ?? kept;
  if (verb === undefined || dir === undefined) return undefined;
  return `${dir.replace(/^\.\/|\/$/g, "")}/${verb === "checkpoint" ? "dump" : "restore"}.log`;
}
/** Where LXC has CRIU write its log, too. */
const lxcDirectory =
  /\blxc-checkpoint\b[^|;&\n]{0,200}? (?:-D ?|--checkpoint-dir[ =])["']?(\/[^\s"'`,;\\]{1,200})/;
/** What ends with the line may have been cut. */
const workPath =
  /--work-path["']?[ =]["']?([^\s"'`,\\-][^\s"'`,\\]{0,300})(?=["'`\s,\\])|(\/[^\s"'`\\]{1,200}\/overlay-containers\/[0-9a-f]{12,64}\/userdata)(?=[/"'`\s\\])/;

const configured =
  "name a log of your own, which CRIU then writes instead: echo 'log-file /var/log/criu.log' >> /etc/criu/runc.conf (CRIU 3.11 or later; of crun 1.26 with CRIU 4.2, or later, /etc/criu/crun.conf), and do it again (under SELinux into a directory with chcon -t container_file_t: elsewhere the dump may fail by its own log)";

/** By the path: which program keeps it, for how long, and how to have one that stays. */
const keepers: readonly [path: RegExp, told: string][] = [
  [
    /\/containerd\/io\.containerd\.runtime\.v[12]\.(?:task|linux)\/moby\//,
    `it belongs to the task that containerd made for Docker, and was deleted with that: ${configured}`,
  ],
  [
    /\/containerd\/io\.containerd\.(?:runtime|grpc)\./,
    `containerd deletes it with the task: ${configured}`,
  ],
  [
    /\/overlay-containers\/[^/]+\/userdata\//,
    `Podman and CRI-O keep it beside the container, and delete it with that, or when all went well: podman container checkpoint --keep, podman container restore --keep; of a restore under CRI-O, or with --import, the container is gone with it: ${configured}`,
  ],
  [
    /\/var\/lib\/docker\/containers\//,
    `Docker made it below the container's checkpoint, and removes it where that fails: ${configured}`,
  ],
  [
    /criu\.work\//,
    `runc makes that directory beside the images and removes it: runc checkpoint and runc restore with --work-path DIR keep it there; of Docker and others that call runc: ${configured}`,
  ],
  [
    /\/lxd_(?:checkpoint|restore)_\d|\/(?:lxd|incus)\//,
    "LXD and Incus remove the directory of a checkpoint, and keep its log beside the container's own: ls -t /var/log/lxd/NAME/ (snap: /var/snap/lxd/common/lxd/logs/NAME/, Incus: /var/log/incus/NAME/), migration_dump_*, migration_restore_*, snapshot_*; of a move on both machines",
  ],
  [
    /\/dump4\.log$/,
    "CRaC's JVM has CRIU write it into the directory of -XX:CRaCCheckpointTo, where it stays: of a container's own directory docker cp NAME:PATH . before it is removed, or a volume for it",
  ],
  [
    /\/logs\/checkpoint\/(?:checkpoint|restore)\.log$/,
    "Open Liberty has it in the container, until that is removed: docker cp NAME:PATH ., or a volume for /logs",
  ],
  [/lxc/, "LXC writes it into the directory of the checkpoint: lxc-checkpoint -D DIR"],
];

/** What to do for a log that is not there. */
export const keptHow = (path: string): string =>
  (path.startsWith("/")
    ? undefined
    : path.includes("/")
      ? "it is below the directory in which the runtime was called: recriu explain it there"
      : "it is in the directory of the images (-D), or of --work-dir: recriu explain DIR") ??
  keepers.find(([pattern]) => pattern.test(path))?.[1] ??
  `the path is one of the machine, or the container, where CRIU ran: look there, or ${configured}`;

/** A log that is named is the one that a remedy speaks of. */
export function withLog<T extends Explanation | undefined>(
  explanation: T,
  named: string | undefined,
): T {
  const word = named?.includes("/") === true ? typedWord(named) : undefined;
  if (explanation === undefined || word == null) return explanation;
  if (explanation.remedy.includes(GONE)) return withLog(withoutGone(explanation), named);
  const isNamed = /(?<![\w/-])(?:LOG|DIR\/(?:dump|restore)\.log)(?![\w/-])/g;
  if (!isNamed.test(explanation.remedy)) return explanation;
  const parts = explanation.remedy.split("; ").filter((part) => !part.startsWith("without a path"));
  const isGone = removed.test(named ?? "");
  const told = parts.map((part) =>
    isGone && part === "recriu explain LOG" ? `${part}, as long as it is there` : part,
  );
  return { ...explanation, remedy: told.join("; ").replace(isNamed, () => word) };
}

/** Whoever made it removes it as the restore fails. */
const removed =
  /\/io\.containerd\.(?:runtime|grpc)\.|(?:^|\/)criu\.work\/|\/overlay-containers\/.*\/restore\.log$/;

/** What is known of a named log says it, too, and of whose it is. */
const GONE = "if the file is gone: echo ";
const withoutGone = <T extends Explanation>(explanation: T): T => ({
  ...explanation,
  remedy: explanation.remedy
    .split("; ")
    .filter((part) => !part.startsWith(GONE))
    .join("; "),
});

/** Whether a runtime refused a command by its words, and began nothing. */
export const isOfUsage = (said: Explanation | undefined): boolean =>
  said?.by === "runtime" && said.like === undefined && usage.test(said.line);
const usage =
  /\bIncorrect Usage: |\bfor flag -|\bunknown (?:shorthand )?flag: |\bflag needs an argument: |\brequires (?:exactly )?\d argument/;
