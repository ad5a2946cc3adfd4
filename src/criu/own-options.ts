/** recriu's own options: none of them is CRIU's, and none reaches CRIU. */
import type { RecriuOption } from "./option.ts";

/** The options of `restore`. Other commands add theirs. */
export const recriuOptions: readonly RecriuOption[] = [
  { name: "dry-run", arg: "none", help: "show findings and plan, change nothing" },
  {
    name: "fix",
    arg: "optional",
    value: "safe|host|none",
    help: "repair what is safe to repair (default safe); host: also raise the kernel's limits that are in the way",
  },
  {
    name: "verify",
    arg: "required",
    value: "gate|report|off|memory",
    help: "compare the tree before it runs: a wrong one is killed (gate, default) or reported; memory: gate, and all that is in memory",
  },
  {
    name: "ignore",
    arg: "required",
    value: "ID,…",
    help: "go on despite these findings; all for every one",
  },
  {
    name: "sched-prio",
    arg: "required",
    value: "N",
    help: "the priority of real-time threads where the images have none, 1 to 99 (default 1)",
  },
  {
    name: "allow-grown",
    arg: "required",
    value: "PATH",
    help: "this open file may be longer than it was at the dump; may be repeated",
  },
  {
    name: "use-packed",
    arg: "required",
    value: "PATH",
    help: "the file that was sealed with the images is put in the place of this one, which is kept beside it; may be repeated",
  },
  {
    name: "isolate",
    arg: "optional",
    value: "auto|pid,mount,pty,net,ipc,uts",
    help: "give the tree namespaces of its own, as far as findings need them (auto) or of these kinds; net:veth: with a pair to this machine; net:NAME: that of ip-netns(8)",
  },
  {
    name: "isolate-dir",
    arg: "required",
    value: "PATH",
    help: "what the tree makes and removes in this directory is its own, and gone with it; may be repeated",
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
  { name: "criu", arg: "required", value: "PATH", help: "the CRIU to run" },
  { name: "json", arg: "none", help: "print one JSON document on stdout" },
  {
    name: "stall",
    arg: "required",
    value: "SECONDS",
    help: "give a CRIU up that gets nowhere for so long before the tree runs (default 300; 0: never)",
  },
  {
    name: "wait",
    arg: "required",
    value: "SECONDS",
    help: "wait so long for what is in the way and may end by itself: a number, port or name that is taken, a mount that is coming (default 0)",
  },
  {
    name: "rehearse",
    arg: "none",
    help: "restore in namespaces of the tree's own, stopped, verify, and discard it: would it work?",
  },
  {
    name: "or-else",
    arg: "required",
    value: "COMMAND",
    help: "of restore, the last option: become COMMAND, with all words behind it, when nothing was restored and nothing is left of it",
  },
  {
    name: "settle",
    arg: "required",
    value: "SECONDS",
    help: "of a detached restore: watch the tree for so long after it runs and tell what ends (default 0)",
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
    help: "write how far the restore is to this descriptor, as JSON lines",
  },
  {
    name: "untrusted",
    arg: "optional",
    value: "yes|no",
    help: "do not trust the images: what they would do to this machine is a finding",
  },
  {
    name: "allow-write",
    arg: "required",
    value: "DIR",
    help: "with --untrusted: the tree may write below this directory; may be repeated",
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
