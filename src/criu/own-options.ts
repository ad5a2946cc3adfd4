/** recriu's own options: none of them is CRIU's, and none reaches CRIU. */
import type { RecriuOption } from "./option.ts";

/** The options of `restore`. Other commands add theirs. */
export const recriuOptions: readonly RecriuOption[] = [
  { name: "dry-run", arg: "none", help: "show the findings and the plan, and change nothing" },
  {
    name: "fix",
    arg: "optional",
    value: "safe|host|none",
    help: "safe (default): repair what is safe to repair; host: also raise limits of the kernel that are in the way; none: repair nothing",
  },
  {
    name: "verify",
    arg: "required",
    value: "gate|report|off|memory",
    help: "compare the tree with the images before it runs; gate (default): kill one that differs; report: only say so; memory: as gate, and compare every page; off: do not compare",
  },
  {
    name: "ignore",
    arg: "required",
    value: "ID,…",
    help: "go on despite findings of these checks; all: of every check",
  },
  {
    name: "sched-prio",
    arg: "required",
    value: "N",
    help: "give real-time threads this priority, 1 to 99, where the images have none (default 1)",
  },
  {
    name: "allow-grown",
    arg: "required",
    value: "PATH",
    help: "accept that this open file is longer than it was at the dump; may be repeated",
  },
  {
    name: "use-packed",
    arg: "required",
    value: "PATH",
    help: "the file that was sealed with the images is put in the place of this one, which is kept beside it; where it is gone, one that gives rights (set-user-id, file capabilities) comes back with them; may be repeated",
  },
  {
    name: "isolate",
    arg: "optional",
    value: "auto|pid,mount,pty,net,ipc,uts",
    help: "give the tree namespaces of its own; auto: those that answer a finding; else these kinds. net:veth: a network with a veth pair to this machine; net:NAME: the network NAME of ip-netns(8)",
  },
  {
    name: "isolate-dir",
    arg: "required",
    value: "PATH",
    help: "give the tree a layer of its own over this directory: what it makes and removes there is gone with it; may be repeated",
  },
  {
    name: "replace-ip",
    arg: "required",
    value: "OLD=NEW",
    help: "sockets that were bound to the address OLD are brought back at NEW; may be repeated",
  },
  {
    name: "map-path",
    arg: "required",
    value: "OLD=NEW",
    help: "files, sockets and mounts that were at OLD or below it are at NEW here; may be repeated",
  },
  { name: "criu", arg: "required", value: "PATH", help: "run this CRIU" },
  { name: "json", arg: "none", help: "print one JSON document on stdout" },
  {
    name: "stall",
    arg: "required",
    value: "SECONDS",
    help: "end a CRIU that makes no progress for so long before the tree runs (default 300; 0: never)",
  },
  {
    name: "wait",
    arg: "required",
    value: "SECONDS",
    help: "wait so long for obstacles that may go by themselves: a number, port or name that is taken, a mount that is coming (default 0)",
  },
  {
    name: "rehearse",
    arg: "none",
    help: "try the restore: make the tree in namespaces of its own, stopped, verify it, and discard it",
  },
  {
    name: "or-else",
    arg: "required",
    value: "COMMAND",
    help: "when nothing was restored and nothing is left of it, become COMMAND with all words behind it; the last option",
  },
  {
    name: "settle",
    arg: "required",
    value: "SECONDS",
    help: "with -d: watch the tree for so long once it runs, and tell which tasks end (default 0)",
  },
  {
    name: "unpack-dir",
    arg: "required",
    value: "DIR",
    help: "of a pack: unpack it into this new directory, and keep it (default: below /var/lib/recriu, gone afterwards)",
  },
  {
    name: "progress-fd",
    arg: "required",
    value: "N",
    help: "write the progress of the restore to this descriptor, as JSON lines",
  },
  {
    name: "untrusted",
    arg: "optional",
    value: "yes|no",
    help: "do not trust the images: report what they would do to this machine as findings",
  },
  {
    name: "allow-write",
    arg: "required",
    value: "DIR",
    help: "with --untrusted: let the tree write below this directory; may be repeated",
  },
  {
    name: "verify-key",
    arg: "required",
    value: "KEY|FILE",
    help: "only a checkpoint whose seal is signed by this public key of minisign; may be repeated: by one of them",
  },
  {
    name: "require-signature",
    arg: "optional",
    value: "yes|no",
    help: "only a checkpoint whose seal is signed by a key of --verify-key",
  },
];
