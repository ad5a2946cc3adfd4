/** CRIU's own surroundings: its options, directories and scripts. */
import type { Entry } from "../entry.ts";

export const criu: readonly Entry[] = [
  {
    pattern: /(?:pidfile: Can't open |^Can't open (?=\/))(?<path>\S+): File exists/,
    check: "pidfile-exists",
    cause: "$<path> exists already; CRIU finds out after the whole restore and kills the tree",
    remedy: "rm $<path> if its process is gone",
    example: "pidfile: Can't open /run/a.pid: File exists",
    from: "staged",
  },
  {
    pattern: /execvp\("(?<script>(?!ip)[^"]+)", \.\.\.\) failed/,
    check: "script-not-executable",
    remedy: "chmod +x $<script>, and look at its first line",
    example: 'execvp("/usr/local/bin/hook", ...) failed: Permission denied',
    from: "staged",
  },
  {
    pattern: /Aborting restore due to (?<point>\S+) script ret code (?<code>-?\d+)/,
    check: "",
    cause: "an action script refused the restore at $<point>",
    remedy:
      "look at what the script said before; CRTOOLS_SCRIPT_ACTION=$<point> SCRIPT runs it by hand",
    example: "Aborting restore due to post-restore script ret code -1",
    from: "source",
  },
  {
    pattern:
      /Can't change directory to (?<dir>\S+)|Can't create log file|Can't make temp cgyard dir|Unable to open stats-restore/,
    check: "work-dir-unwritable",
    remedy: "--work-dir DIRECTORY that can be written to",
    example: "cg: Can't make temp cgyard dir: Read-only file system",
    from: "staged",
  },
  {
    pattern: /Unable to create a temporary directory/,
    check: "tmp-missing",
    remedy: "mkdir -m 1777 /tmp",
    example: "mnt: Unable to create a temporary directory: No such file or directory",
    from: "staged",
  },
  {
    pattern: /Dumped with --allow-uprobes/,
    check: "allow-uprobes-needed",
    remedy: "--allow-uprobes",
    since: "4.2",
    example: "Dumped with --allow-uprobes. Need to set it on restore as well.",
    from: "source",
  },
  {
    pattern: /unrecognized option '--(?<option>[\w-]+)'/,
    check: "criu-too-old",
    cause: "this CRIU has no option --$<option>",
    remedy: "criu --version; criu --help lists its options",
    example: "criu: unrecognized option '--allow-uprobes'",
    from: "staged",
  },
  {
    pattern: /excessive parameters? for command/,
    check: "",
    cause:
      "a word stands where CRIU wants none; an option with an optional value takes it only after `=`",
    remedy: "--manage-cgroups=ignore, not --manage-cgroups ignore",
    issues: ["#688"],
    example: "excessive parameter for command restore",
    from: "issue",
  },
  {
    pattern: /Can't open dir (?<dir>\S+)/,
    check: "",
    cause: "there is no images directory $<dir>",
    remedy: "--images-dir DIR",
    example: "Can't open dir /nowhere: No such file or directory",
    from: "source",
  },
];
