/**
 * The engine that ran CRIU decides how a remedy is given: an option of CRIU's is none of `docker start`, and Docker's daemon is
 * root already. What a paste shows of one puts a remedy into its words: its own option, or the file that its CRIU reads.
 */
import { criuOptions } from "../criu/options.ts";
import { compareVersions } from "../criu/version.ts";
import { askedByCrun, byCrun, crun, type Engine, engines, ofAll } from "./engines.ts";
import type { Explanation } from "./index.ts";

/** Of a line. */
const LETTERS = 2048;

/** CRIU was called by hand, whatever it dumped. */
const byHand = /\bcriu (?:dump|pre-dump|restore)\b.{0,200} -\w|\bcriu-ns (?:dump|restore)\b/;
const ofCrun =
  /\bcrun\b|\bCRIU (?:checkpointing|restoring) failed -?\d{1,3}\.\s{1,4}Please check CRIU logfile\b/;
/** Somebody's command, or prompt, that has all rights. */
const asRoot =
  /\bsudo (?:-\S{1,20} )?(?:lxc-|podman\b|runc\b|crun\b|youki\b)|^\s{0,8}\[?root@\S{1,64}/;
/** The first CRIU by which crun names a file of its own. */
const NAMED = "4.2";
/** CRIU before 2.0 names its sources without their directory. */
const ofOld =
  /^\W{0,4}(?:\([\d.]{3,20}\) {1,16})?(?:\d{1,9}: )?(?:Error|Warn) {1,2}\([a-z][a-z-]{1,20}\.c:\d/;
const CONFIGURED = "3.11";
const OLD = "the CRIU of this log is older, and has no such file: a newer one first";
const NEWER = `CRIU ${CONFIGURED} or later, which has a file for its options`;

/** The engine sets them itself, or they are of a CRIU that somebody calls. */
const unconfigured: ReadonlySet<string> = new Set([
  "images-dir",
  "work-dir",
  "inherit-fd",
  "root",
  "tree",
  "config",
  "no-default-config",
  "feature",
  "prev-images-dir",
  "pidfile",
  "restore-detached",
  "restore-sibling",
  "exec-cmd",
  "track-mem",
  "log-file",
  "verbosity",
  "help",
  "version",
  "stream",
]);

/** Somebody else's command, whose option it is. */
const elsewhere =
  /\b(?:podman|docker|runc|crun|youki|recriu|criu(?:-ns)?|lxc|incus|ctr|nerdctl|java|jcmd|snap|kubectl|kubelet|ip6?tables|unshare|nsenter|setsid|mount|nft|crit|script|curl|tar|cuda-checkpoint|nvidia-smi|rmi|zdtm(?:\.py)?|checkpointctl|runsc|auditctl|prlimit)\b(?:[^;,:(]*|: )$/;
const option = /(?<![\w/-])--([a-z][a-z-]{2,40})(?![\w])/g;
/** Nothing but a right, with what is said of it. */
const right =
  /^(?:or |else )?(?:run (?:CRIU|it) (?:as root|with CAP_\w{1,30})|restore as root|as root$|sudo\b|CAP_\w{1,30})(?!.*\b(?:seccomp|filter)\b)/;
/** Of those who call criu by hand. */
const bare =
  /^(?:a container(?:'s mounts)?: its engine's own checkpoint|run it from a terminal: script\b|sudo criu\b|criu-ns\b)/;

/** Behind an option: its value, where that is no word of the sentence that goes on. */
const valueOf =
  /^(?:=('[^']{1,200}'|[^\s;,()]{1,200})| ('[^']{1,200}'|[A-Z<\d/][^\s;,()]{0,200}|[a-z]{2,10}\[[^\s;,()]{0,200}|(?:ignore|net|nftables|iptables|skip|splice|read|none)\b))/;
const notWanted = /\b(?:without|leave|not|no|nor) $/;

interface Told {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly text: string;
  /** It belongs into the file. */
  readonly inFile: boolean;
}

const options = new Map(criuOptions.map((one) => [one.name, one]));

/** The options of CRIU's in a part of a remedy, in the engine's words. */
function optionsIn(part: string, own: Engine["own"]): Told[] {
  return Array.from(part.matchAll(option)).flatMap(({ 0: whole, 1: name = "", index }) => {
    const known = options.get(name);
    const before = part.slice(0, index);
    if (known === undefined || unconfigured.has(name) || elsewhere.test(before)) return [];
    const end = index + whole.length;
    const value = known.arg === "none" ? undefined : valueOf.exec(part.slice(end));
    // It is only spoken of.
    if (value === null) return [];
    // A line's second word is no value of an option that may have none.
    const sign = known.arg === "optional" ? "=" : " ";
    const given = value === undefined ? "" : sign + (value[1] ?? value[2]!).replaceAll("'", "");
    const mine = own.get(name);
    return {
      name,
      from: index,
      to: end + (value?.[0].length ?? 0),
      text: mine === undefined ? `\`${name}${given}\`` : `${mine}${given}`,
      inFile: mine === undefined && !notWanted.test(before),
    };
  });
}

/** A part of a remedy with those: options in a row have their place once. */
function written(part: string, own: Engine["own"], file: string): { text: string; isIn: boolean } {
  const found = optionsIn(part, own);
  let text = "";
  let at = 0;
  let place = file;
  for (const [turn, { from, to, text: told, inFile }] of found.entries()) {
    const gap = part.slice(at, from);
    text += (turn > 0 && gap === " " ? " and " : gap) + told;
    at = to;
    const goesOn = part[to] === " " && found[turn + 1]?.from === to + 1;
    if (!inFile || goesOn) continue;
    text += ` ${place}`;
    place = "there";
  }
  return { text: text + part.slice(at), isIn: place !== file };
}

/** What Docker and Podman call it, where a container of the tree's is to be run so. */
const unconfined =
  /(?:\b(?:docker|podman|docker and podman|podman or docker) run |\bdocker: |(?<![\w=] ))--security-opt (seccomp|apparmor)=unconfined/g;

const inContainer = (part: string, { unconfined: words }: Engine): string =>
  words === undefined || part.includes("lxc.")
    ? part
    : part.replace(unconfined, (_, what: keyof typeof words) => words[what]);

export function engineSeen(): {
  note(text: string): void;
  /** The explanation with a remedy that whoever calls that engine can follow. */
  inItsWords<T extends Explanation | undefined>(explanation: T): T;
} {
  const seen = new Set<Engine>();
  let isByHand = false;
  let runsCrun = false;
  let isOld = false;
  let isRoot = false;
  let isUnnamed = false;
  let started: string | undefined;
  return {
    note(text) {
      const looked = text.slice(0, LETTERS);
      started ??= starts.exec(looked)?.[1];
      for (const one of engines) if (!seen.has(one) && one.seen.test(looked)) seen.add(one);
      isByHand ||= byHand.test(looked);
      runsCrun ||= ofCrun.test(looked);
      isOld ||= ofOld.test(looked);
      const version = /\bVersion: (\d+\.\d[\d.]*)/.exec(looked)?.[1];
      isOld ||= version !== undefined && compareVersions(version, CONFIGURED) < 0;
      isUnnamed ||= version !== undefined && compareVersions(version, NAMED) < 0;
      isRoot ||= asRoot.test(looked);
    },
    inItsWords(explanation) {
      const engine = engines.find((one) => seen.has(one));
      if (explanation === undefined) return explanation;
      if (engine === undefined || isByHand) return withCapability(explanation, started);
      if (explanation.by !== "criu") return explanation;
      const { remedy } = explanation;
      // It speaks of engines itself.
      const isTold = remedy.includes("/etc/criu/");
      const parts = remedy.split("; ");
      const rights = parts.filter((part) => right.test(part));
      const others = parts.filter((part) => !right.test(part) && !bare.test(part));
      // What crun asks of CRIU itself only a file of its own overrules.
      const isFree = !others.some((part) =>
        optionsIn(part, engine.own).some(({ name, inFile }) => inFile && askedByCrun.has(name)),
      );
      const its = engine.file(runsCrun);
      const file = its === crun && isUnnamed && isFree ? ofAll : its;
      let place = `in ${file}`;
      let isIn = false;
      const asked = others.flatMap((part) => {
        if (isTold) return [part];
        const one = written(inContainer(part, engine), engine.own, place);
        // There is another way than a file that this CRIU does not read.
        if (one.isIn && isOld && others.length > 1) return [];
        if (one.isIn) place = "there";
        isIn ||= one.isIn;
        return [one.text];
      });
      const all = asked.length < others.length ? [...asked, NEWER] : asked;
      const told = [
        ...all
          .filter((part, turn) => !all.slice(0, turn).some((earlier) => earlier.endsWith(part)))
          .map((part, turn) => (turn === 0 ? part.replace(/^(?:or|else) /, "") : part)),
        ...(isIn
          ? [
              `a line of that file each (${readsOf(engine, file, isFree)})${isOld ? `: ${OLD}` : ""}`,
            ]
          : []),
        ...(rights.length > 0 || others.length === 0
          ? rightsOf(engine, isRoot).filter(() => !others.some((part) => denials.test(part)))
          : []),
      ];
      return { ...explanation, remedy: told.join("; ") };
    },
  };
}

/** Which releases read it, and what those of crun do that read none of its own. */
function readsOf(engine: Engine, file: string, isFree: boolean): string {
  if (file === ofAll) return "CRIU 3.11 or later reads it, whoever runs it";
  if (file === crun) return isFree ? `${byCrun}, and of those it is ${ofAll}` : byCrun;
  return file.includes(crun) && isFree
    ? `${engine.reads}; of an earlier crun ${ofAll}`
    : engine.reads;
}

/** A container in which a program may call CRIU itself. */
const starts = /(?:^|[\s`$#])(docker|podman|nerdctl) (?:container )?run (?=\S)/;

/** What CRIU lacks inside of a container is given to that when it is started. */
function withCapability<T extends Explanation>(known: T, started: string | undefined): T {
  const asked = known.remedy.split("; ").find((part) => right.test(part));
  const lacks = /\bCAP_([A-Z_]{3,30})\b/.exec(asked ?? "")?.[1];
  if (started === undefined || lacks === undefined || known.by !== "criu") return known;
  if (/--cap-add|--privileged/.test(known.remedy)) return known;
  const way = `where CRIU runs in the container itself, ${started} run --cap-add=${lacks} gives it that (or --privileged all)`;
  return { ...known, remedy: `${known.remedy}; ${way}` };
}

const denials = /\bausearch\b/;
const rightsOf = ({ name, isRoot }: Engine, isShown: boolean): string[] => [
  isRoot || isShown
    ? `${name} starts CRIU as root already, where it is not itself without root or in a container: ausearch -m avc,apparmor -ts recent and journalctl -k show a denial of a security module's; else another kernel (uname -r)`
    : `${name} has to be started by root: sudo`,
];
