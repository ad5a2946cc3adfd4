/**
 * The thing that CRIU had in hand when it failed: an error line often does not name it, and the lines beside it do. The nearest
 * line before counts, of the same task, and only for sources that speak of such things; or what an error behind it says of it.
 */
import { type LogLine, parseLogLine } from "../criu/log.ts";

interface Naming {
  /** Lines that name it. */
  readonly says: RegExp;
  /** Sources whose errors may be about it. */
  readonly of: RegExp;
  /** In the reader's words; `$1` stands for what the line says. */
  readonly told: string;
}

const files =
  /(?:^|\/)(?:cr-dump|files|files-reg|files-ext|sk-\w+|sockets|tty|pipes|fifo|event\w+|signalfd|timerfd|fsnotify|tun|memfd|bpfmap|pidfd|proc_parse|mount|parasite|file-lock|fown)\.c$/;
const restoring =
  /(?:^|\/)(?:files|files-reg|files-ext|sk-\w+|sockets|tty|pipes|fifo|event\w+|signalfd|timerfd|fsnotify|tun|memfd|bpfmap|pidfd|soccr|fdstore)\.c$/;
const internet = /(?:^|\/)(?:sk-inet|sk-tcp|soccr)\.c$/;
const network = /(?:^|\/)(?:net|libnetlink|sysctl|netfilter|tun)\.c$/;
const memory = /(?:^|\/)(?:proc_parse|cr-dump|mem)\.c$/;
const images = /(?:^|\/)(?:protobuf|image|bfd)\.c$/;
const mounts = /(?:^|\/)(?:mount|mount-v2|filesystems|autofs|util)\.c$/;

/** One reading of a line each; every repetition has an end. */
const before: readonly Naming[] = [
  { says: /\bfdinfo (\d{1,9}): pos:/, of: files, told: "descriptor $1" },
  {
    says: /\bDumping path for (-?\d{1,9}) fd via self \d{1,9} \[\/?(.{1,300})\]/,
    of: files,
    told: "the file /$2",
  },
  {
    says: /\bSearching for socket (?:0x)?([0-9a-f]{1,16}) \(?family (\d{1,3})/,
    of: files,
    told: "the socket of inode 0x$1, family $2",
  },
  {
    says: /\bRestore: family (\d{1,3}) \S{0,1}\s{0,8}type \d{1,3} proto \d{1,3} port (\d{1,5}) state \d{1,3} src_addr (\S{1,60})/,
    of: internet,
    told: "port $2 of address $3",
  },
  {
    says: /\binet:\s{1,9}Restore: family AF_(INET6?) {1,9}type SOCK_(\w{1,12}) {1,9}proto \S{1,20} {1,9}port (\d{1,5}) state (\w{1,20})\s{1,20}src_addr (\S{1,60})/,
    of: internet,
    told: "port $3 of address $5",
  },
  {
    says: /\binet:\s{1,9}Restore: family AF_(INET6?) {1,9}type SOCK_(\w{1,12}) {1,9}proto \S{1,20} {1,9}port (\d{1,5}) state (\w{1,20})/,
    of: /(?:^|\/)(?:sk-inet|sk-tcp|soccr|files)\.c$/,
    told: "the socket of port $3 (AF_$1, SOCK_$2, $4)",
  },
  {
    says: /\bno match pid (\d{1,9}) efd (\d{1,9}) tfd (\d{1,9})/,
    of: /(?:^|\/)(?:cr-dump|eventpoll)\.c$/,
    told: "descriptor $2 of task $1, an epoll, which waits for that task's descriptor $3",
  },
  {
    says: /\bHandling VMA with the following smaps entry: (\S{1,40}) \S{1,8} \S{1,20} \S{1,12} \d{1,20}\s{1,40}(\S.{0,300})/,
    of: memory,
    told: "the mapping $1 of $2",
  },
  {
    says: /\bRestoring link (\S{1,40}) type (\d{1,3})/,
    of: network,
    told: "the network device $1 (kind $2)",
  },
  { says: /\bRestoring netdev (\S{1,40}) idx \d/, of: network, told: "the network device $1" },
  { says: /\bNo (\S{1,100}\.img) image/, of: images, told: "the image $1, which is not there" },
  { says: /\bRestoring memfd id=(\d{1,9})/, of: restoring, told: "the memory file of id $1" },
  {
    says: /\btty: open driver (\S{1,20}) id (0x[0-9a-f]{1,9}) index (-?\d{1,9})/,
    of: restoring,
    told: "the terminal $1 of index $3 (id $2)",
  },
  { says: /\bMounting (\S{1,40}) (?:\S{0,300})@\S/, of: mounts, told: "a mount of $1" },
];

/** What an error right behind it says of the same. */
const behind: readonly Naming[] = [
  {
    says: /^(?:\w+: )?Unable to open fd=(\d{1,9}) id=(0x[0-9a-f]{1,9})/,
    of: restoring,
    told: "descriptor $1 (id $2)",
  },
  {
    says: /^Can't get stat on (\d{1,9})/,
    of: /(?:^|\/)(?:proc_parse|files)\.c$/,
    told: "descriptor $1",
  },
  {
    says: /^Unseizable non-zombie (\d{1,9}) found, state (\w)/,
    of: /(?:^|\/)(?:cr-dump|seize)\.c$/,
    told: "task $1, in state $2",
  },
  {
    says: /^Can't open (\d{1,9})'s mapfile link ([0-9a-f]{1,16})/,
    of: /(?:^|\/)proc_parse\.c$/,
    told: "the mapping at $2 of task $1",
  },
];

const families: Record<string, string> = {
  "1": "a Unix socket",
  "2": "IPv4",
  "10": "IPv6",
  "16": "netlink",
  "17": "packets",
};
/** images/netdev.proto */
const devices: Record<string, string> = {
  "1": "loopback",
  "2": "veth",
  "3": "tun",
  "4": "from outside",
  "5": "venet",
  "6": "bridge",
  "7": "macvlan",
  "8": "sit",
};

/** What the lines before an error name, the nearest of each kind. */
export function objectsBefore({ message, file, pid }: LogLine, lines: readonly string[]): string[] {
  if (ofDump.test(file) && !ofFiles.test(message)) return [];
  return before.flatMap(({ says, of, told }) => {
    const text = of.test(file)
      ? lines.findLast((each) => isOfTask(each, pid) && says.test(each))
      : undefined;
    return text === undefined ? [] : fill(told, says.exec(text)!);
  });
}

/** With what the errors right behind it say of the same; a name that another one begins with is in that. */
export function withObjectsBehind(
  names: readonly string[],
  { file }: LogLine,
  after: readonly string[],
): string[] {
  const messages = after.slice(0, NEXT).flatMap((text) => parseLogLine(text)?.message ?? []);
  const further = behind.flatMap(({ says, of, told }) => {
    const message = of.test(file) ? messages.find((each) => says.test(each)) : undefined;
    return message === undefined ? [] : fill(told, says.exec(message)!);
  });
  const all = [...new Set([...names, ...further])];
  return all
    .filter((name) => !all.some((other) => other !== name && other.startsWith(name)))
    .slice(0, MOST);
}

/** The dump as a whole fails by this at all it does; only of these is what stands before it the thing. */
const ofDump = /(?:^|\/)cr-dump\.c$/;
const ofFiles = /^(?:Dump (?:files|eventpoll)|Collect mappings) /;
const NEXT = 2;
const MOST = 4;

const fill = (told: string, match: RegExpExecArray): string =>
  told
    .replace("family $2", `of family $2${named(families, match[2])}`)
    .replace("kind $2", `kind $2${named(devices, match[2])}`)
    .replace(/\$(\d)/g, (_, at: string) => match[Number(at)] ?? "")
    .replace(/^a mount of unsupported$/, "a mount of a file system that CRIU has no name for");
const named = (names: Record<string, string>, number: string | undefined): string =>
  names[number ?? ""] === undefined ? "" : `: ${names[number!]}`;

/** A restored task's lines have its number in front. */
const ofTask = /^(?:\([\d.]{3,20}\)\s{0,16})?(?:pie: )?(\d{1,9}): /;
function isOfTask(text: string, pid: number | undefined): boolean {
  const own = ofTask.exec(text)?.[1];
  return own === undefined || pid === undefined || Number(own) === pid;
}
