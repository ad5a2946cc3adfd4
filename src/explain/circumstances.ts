/**
 * What a paste shows of how CRIU was started: at an ordinary user's prompt, by unshare without a new /proc. It decides what an
 * error means that by itself has several reasons, and is told as what was seen.
 */
import type { Explanation } from "./index.ts";

interface Circumstance {
  /** A line that shows it. */
  readonly seen: RegExp;
  /** One that shows the contrary. */
  readonly not?: RegExp;
  /** Another line that has to be there, too. */
  readonly with?: RegExp;
  /** Errors that it accounts for. */
  readonly of: (explanation: Explanation) => boolean;
  /** What helps then. */
  readonly does: string;
  readonly why: string;
}

const LETTERS = 1024;

const denied = (text: string): boolean => /Operation not permitted|Permission denied/.test(text);

const circumstances: readonly Circumstance[] = [
  {
    // `$` is the prompt of those who are not root.
    seen: /^(?:\S{1,80}[ \]:~]?\S{0,80})?\$ (?:\S{1,80}\/)?criu (?:dump|pre-dump|restore|check|service|swrk)\b/,
    not: /^(?:uid=0\b|root@|\[root@)|\bsu(?:do)?\b/,
    of: ({ line, check, by }) =>
      by === "criu" && denied(line) && (check === "privilege" || check === ""),
    does: "sudo criu …",
    why: "it was typed at a $ prompt, which is an ordinary user's",
  },
  {
    // Docker names a container's host by twelve digits of its id.
    seen: /^\[?root@[0-9a-f]{12}[: ]/,
    not: /--privileged\b/,
    of: ({ line, check, by }) =>
      by === "criu" && denied(line) && (check === "privilege" || check === ""),
    does: "docker run --privileged, for a CRIU inside a container",
    why: "the prompt that is shown is that of a container, whose root may not do this to the machine's kernel",
  },
  {
    // A Deployment's pods have the hash of their template and five letters of their own.
    seen: /^\[?root@[a-z][a-z0-9-]{0,60}-[0-9a-f]{8,10}-[b-df-hj-np-tv-z24-9]{5}[: ]/,
    not: /\bprivileged: ?true\b/,
    of: ({ line, check, by }) =>
      by === "criu" && denied(line) && (check === "privilege" || check === ""),
    does: "securityContext.privileged: true, for a CRIU inside a pod's container",
    why: "the prompt that is shown is that of a pod, whose root may not do this to the machine's kernel",
  },
  {
    seen: /\bcriu (?:dump|pre-dump|restore|check)\b[^\n|;&]{0,300}\s--unprivileged\b/,
    of: ({ line, check, by }) =>
      by === "criu" && denied(line) && (check === "privilege" || check === ""),
    does: "sudo criu …, without --unprivileged",
    why: "the command that is shown has it, and CRIU has the rights of its own user only then, with CAP_CHECKPOINT_RESTORE",
  },
  {
    seen: /\bLinux \S{1,60}-microsoft-standard/i,
    of: ({ cause, remedy }) => /\bCONFIG_[A-Z]/.test(cause + remedy),
    does: "a kernel of your own for WSL 2 (kernel= in .wslconfig) with that option",
    why: "the log is of WSL 2, whose kernel is made without some of what CRIU needs",
  },
  {
    seen: /\bAWS[ _-]?Lambda\b|\bLAMBDA_(?:TASK_ROOT|RUNTIME_DIR)\b|\b(?:AWS )?Fargate\b|\bGoogle Cloud Run\b/i,
    of: ({ cause, remedy }) =>
      /\bCONFIG_[A-Z]/.test(cause + remedy) && !remedy.includes("the kernel is not yours"),
    does: "another machine, with a kernel of your own (a virtual one of the same provider's)",
    why: "the service that is named runs all on a kernel of its provider's, and takes no other",
  },
  {
    seen: /\bunshare (?=[^\n]{0,200}(?:-\w{0,8}p|--pid))(?![^\n]{0,200}--mount-proc)/,
    of: ({ line }) => /\/proc|procfs|\bpme\b|\bpid\b|ns_last_pid/i.test(line),
    does: "unshare -p -m --fork --mount-proc criu …, or criu-ns",
    why: "the unshare that is shown makes a pid namespace and leaves /proc as it was, so that numbers in /proc are of the other one",
  },
  {
    // Its kernel's name, or where somebody says it.
    seen: /-linuxkit\b|\bDocker Desktop\b|\bdesktop-linux\b|\bdocker\b.{0,200}\b(?:on|for) (?:a |my |an |the )?(?:mac|Windows)(?:OS|book)?\b/i,
    not: /\bpodman\b/i,
    of: ({ cause, by }) => by === "runtime" && /\bno CRIU\b|\bCRIU is not there\b/.test(cause),
    does: "a Linux machine, or a virtual one of your own, with Docker and CRIU",
    why: "Docker Desktop's virtual machine has no CRIU, and nothing that is installed in it stays",
  },
  {
    seen: /\b[Cc]ould not dump the JVM process|\b[Cc]riu failed: type DUMP\b|\bCRIU checkpointing failed\b|\bcriu\.c: ?\w{1,40}: ?\d{1,6} (?:- )?dump failed\b|\bUnable to checkpoint: /,
    of: ({ check, by }) => by === "criu" && /^(?:image-missing|no-checkpoint)$/.test(check),
    does: "the dump first: the first Error of its own log",
    why: "a line that is shown says that the dump failed, and what it did not make cannot be restored",
  },
  {
    seen: /\brunc\b.{0,200}\bcheckpoint\b.{0,200}\s--pre-dump\b/,
    not: /\bFAILED\b|\bcriu failed\b/,
    of: ({ line }) => /\bcontainer is not destroyed\b/.test(line),
    does: "leave it at that",
    why: "the command that is shown is a pre-dump, behind which the container runs on",
  },
  {
    seen: /\bpodman\b.{0,120}\brestore\b(?=.{0,300}\s(?:-i|--import)\b)(?!.{0,300}--import-previous)/,
    with: /\bpodman\b.{0,120}\bcheckpoint\b.{0,300}\s--with-previous\b/,
    not: /--import-previous\b/,
    of: ({ line, check }) =>
      /\bcriu failed: type (?:RESTORE|NOTIFY)|\bCRIU restoring failed\b|restore\.log\b/.test(
        line,
      ) || /^(?:image-missing|pages-missing|parent\S*)$/.test(check),
    does: "podman container checkpoint --pre-checkpoint --export PRE.tar, then --with-previous --export FILE, and podman container restore --import FILE --import-previous PRE.tar",
    why: "an archive made --with-previous has only what changed since the checkpoint before, and the restore that is shown is not given that one",
  },
];

/** Options that a restore needs where its dump had them, and by what an error shows that it lacks one. */
const common: readonly [given: RegExp, option: string, lacks: RegExp][] = [
  [/\s(?:-j|--shell-job)\b/, "--shell-job", /--shell-job|\bterminal\b/],
  [/\s--tcp-established\b/, "--tcp-established", /--tcp-established/],
  [/\s(?:-x|--ext-unix-sk)\b/, "--ext-unix-sk", /--ext-unix-sk/],
  [/\s(?:-l|--file-locks)\b/, "--file-locks", /--file-locks/],
];
/** Whether a part of a remedy begins with an option that all commands have that are shown. */
const isGiven = (part: string, commands: ReadonlyMap<string, string>): boolean =>
  commands.size > 0 &&
  common.some(
    ([given, option]) =>
      /^[ ,:]/.test(part.slice(option.length)) &&
      part.startsWith(option) &&
      [...commands.values()].every((options) => given.test(options)),
  );

/** What is shown was not enough: it stands last. */
const givenLast = (untried: readonly string[], parts: readonly string[]): string =>
  [...untried, ...parts.filter((part) => !untried.includes(part))]
    .join("; ")
    .replace(/^(?:else|or) /, "");

const command = /\bcriu (dump|restore)\b([^\n|;&]{0,500})/;
const directory = /\s(?:-D|--images-dir)[ =]?([^\s-]\S{0,200})/;

/** What a dump and a restore that are both shown do not agree on. */
function disagreeing(
  { line, cause, remedy, check }: Explanation,
  commands: ReadonlyMap<string, string>,
): string[] {
  const [dump, restore] = [commands.get("dump"), commands.get("restore")];
  if (dump === undefined || restore === undefined) return [];
  const wanted = common
    .filter(([given]) => given.test(dump) && !given.test(restore))
    .filter(([, , lacks]) => lacks.test(`${line} ${cause} ${remedy}`))
    .map(
      ([, option]) =>
        `${option} for the restore: the dump that is shown had it, and the restore has not`,
    );
  const [from, to] = [directory.exec(dump)?.[1], directory.exec(restore)?.[1]];
  const isElsewhere =
    from !== undefined && from !== to && /^(?:image-missing|no-checkpoint)$/.test(check);
  return isElsewhere
    ? [...wanted, "-D with the directory of the dump: the commands that are shown name two"]
    : wanted;
}

/** A container that has all rights: what gives it some helps no more. */
const privileged = /(?<![\w-])--privileged\b(?!=false)|\bprivileged: ?true\b/;
const givesRights = /^.{0,60}--(?:privileged|cap-add)\b/;

export function circumstancesSeen(): {
  note(text: string): void;
  /** The explanation with what was seen before its own remedy. */
  weigh<T extends Explanation | undefined>(explanation: T): T;
} {
  const seen = new Set<Circumstance>();
  const accompanied = new Set<Circumstance>();
  const denies = new Set<Circumstance>();
  const commands = new Map<string, string>();
  let isPrivileged = false;
  return {
    note(text) {
      const looked = text.slice(0, LETTERS);
      isPrivileged ||= privileged.test(looked);
      const [, verb, options] = command.exec(looked) ?? [];
      if (verb !== undefined) commands.set(verb, options!);
      for (const one of circumstances) {
        if (one.seen.test(looked)) seen.add(one);
        if (one.not?.test(looked) === true) denies.add(one);
        if (one.with?.test(looked) !== false) accompanied.add(one);
      }
    },
    weigh(explanation) {
      if (explanation === undefined) return explanation;
      const told = [...seen].filter(
        (one) => accompanied.has(one) && !denies.has(one) && one.of(explanation),
      );
      const first = [
        ...told.map(({ does, why }) => `${does}: ${why}`),
        ...disagreeing(explanation, commands),
      ];
      const parts = explanation.remedy.split("; ");
      const untried = parts.filter(
        (part) => !isGiven(part, commands) && !(isPrivileged && givesRights.test(part)),
      );
      if (first.length === 0)
        return untried.length === 0 || untried.length === parts.length
          ? explanation
          : { ...explanation, remedy: givenLast(untried, parts) };
      const rest = parts.filter((part) => !told.some(({ does }) => does === part));
      const others = rest.length === 0 ? [] : [`else ${rest.join("; ")}`];
      return { ...explanation, remedy: [...first, ...others].join("; ") };
    },
  };
}
