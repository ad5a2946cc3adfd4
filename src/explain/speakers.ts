/** The speaker of what nothing is known of: programs that people ask for checkpoints, and where each says more. */

import { criuOptions } from "../criu/options.ts";

export interface Speaker {
  readonly name: string;
  /** Where it, or CRIU below it, says more. */
  readonly look: string;
}

/** Of compilers, linkers and make, where CRIU's own sources are in it. */
const ofBuild =
  /\b(?:gcc|cc1|ld|clang|collect2|make)\b.{0,400}\b(?:criu|compel|soccr)\b|(?:^|\dZ )\s*(?:CC|LINK|GEN|PBCC|DEP|AR|HOSTCC)\s+(?:criu|compel|images|pie|protobuf|soccr|plugins|arch\/\w{1,12}|lib\/(?:c|py))\/|\b(?:criu|compel|pie|soccr|protobuf)\/[\w/.-]{1,80}\.(?:c|h|S|proto)(?::\d{1,6}){1,2}: |CONFIG_HAS_(?:SELINUX|LIBBPF|NFTABLES|TCP_REPAIR)\b|'(?:protobuf|images|criu|compel)\/[^']{1,80}'/;

/** What a compiler or make says is of no dump or restore. */
export const isOfBuild = (text: string): boolean =>
  ofBuild.test(text) || /\bfatal error: |(?:^|\dZ )`?make(?:\[\d+\])?: /.test(text);

const ANY_JVM = "a JVM with CRaC";
/** It knows CRaC's classes, too, and a line of those says nothing of whose they are. */
const openJ9 =
  /\bopenj9\.(?:internal\.)?criu\b|CRIUSupport\b|\bcmdLineTester_criu_|\bcriuScript\.sh\b|\bCRIURestoreNonPortableMode\b/;

// One reading of a line each: no repetition of a repetition, and an end to every one.
const speakers: readonly [words: RegExp, name: string, look: string][] = [
  [
    /\bcuda-checkpoint\b|\btoggling CUDA\b|CUDA_ERROR_/,
    "NVIDIA's cuda-checkpoint",
    "run it as root beside the process, in its container: cuda-checkpoint --get-state --pid PID; nvidia-smi",
  ],
  [
    /\bdmtcp_(?:launch|restart|coordinator|command|checkpoint)\b|\bmtcp_restart\b|\bDMTCP(?![a-z])|\bWill not use SLURM_LOCALID=|\bdmtcp\d\b/,
    "DMTCP, another program that checkpoints and has nothing of CRIU's,",
    "DMTCP_ABORT_ON_FAILURE=1 for a core dump, its configure --enable-debug for its logs in the temporary directory; github.com/dmtcp/dmtcp",
  ],
  [
    /\brunsc\b|\bgVisor\b|\burpc method "containerManager|"__no_name_\d+"|\bMemoryFile\b|\bstate path: \*?\(|\bpkg\/sentry\/|\bFileAccess:(?:exclusive|shared) |\bSandbox isn't running anymore\b|\bconnecting to control server at PID \d/i,
    "gVisor (runsc), which checkpoints without CRIU,",
    "runsc --debug --debug-log=DIR/ writes the sandbox's own log (.boot); the same runsc, specification and mounts at both ends",
  ],
  [
    /\bkubelet_internal_checkpoint\b|\b(?:cpu|memory)_manager_state\b|\bFailed to (?:retrieve|list) checkpoints?\b.{0,80}(?:sandbox|checkpoint)/,
    "the kubelet of its own bookkeeping, called a checkpoint, too, which is no container's,",
    "journalctl -u kubelet for another error: at a first start there is none yet, and that harms nobody",
  ],
  [
    ofBuild,
    "a compiler or make, of a build of CRIU,",
    "make clean, then make V=1: the first error counts; its missing packages: criu/Makefile.packages; a newer CRIU for a newer compiler or C library",
  ],
  [
    /\bpycriu\b|\bcriu_coredump\b|\bcrit(?:\/crit|-python\d)?['"]?,? (?:x|decode|encode|show|info|explore|recode|line \d)\b/,
    "crit or criu-coredump, which read images,",
    "of a Traceback the last line: most are faults of a crit of its age (under another Python, or of an image it does not know): the newest (pip install crit), or that of the CRIU that dumped; recriu show -D DIR reads them, too",
  ],
  [
    /\bat (?:criu|compel)\/[\w/-]{1,60}\.c:\d/,
    "a debugger, of CRIU,",
    "CRIU's log with -v4, its last line of each task; ps -e -o pid,stat,wchan:30,comm of the tree; the stack of the task that does not go on",
  ],
  [
    /\bzdtm\.py\b|\bTest zdtm\/\S{1,80} FAIL\b|\bRun zdtm\/|\bzdtm\/(?:static|transition)\/\w|\bTEST\(S\) FAILED \(TOTAL |(?:^|\s)\* zdtm\/\w/,
    "zdtm, CRIU's own tests,",
    "of each failed test the lines above the summary, and the log that they name behind =[log]=>: recriu explain test/dump/zdtm/static/TEST/PID/N/dump.log, or restore.log; of a FAIL at start CRIU was not run yet, and the test's own .out says why (/tmp mounted nodev or nosuid, no compiler's headers); alone and in the machine's own namespaces: ./zdtm.py run -t zdtm/static/TEST -f h",
  ],
  [
    /\bnot ok \d{1,5} .{0,80}\b(?:checkpoint|restore)\b|\bcheckpoint\.bats\b/,
    "a test of a container runtime's, by bats,",
    "the lines behind it show what it ran last; the log of CRIU that it names (dump.log or restore.log in the test's --work-path or work-dir): recriu explain LOG; criu check --all as the same user",
  ],
  [
    /\bcheckpointctl\b|\bgo-criu\/(?:v\d{1,2}\/)?crit\b/,
    "checkpointctl or go-criu's crit, which read images,",
    "of a panic the newest of it: of older ones many do not know images that a newer CRIU writes; tar tf FILE shows what the archive has; recriu show FILE reads it, too",
  ],
  [
    /\b(?:jdk|org)\.(?:internal\.)?crac\b|JDK\.checkpoint|CRaC(?:CheckpointTo|RestoreFrom|Engine)|\[crac\]/,
    ANY_JVM,
    "the lines of Suppressed: of its exception; CRIU's log is dump4.log in the directory of -XX:CRaCCheckpointTo",
  ],
  [
    /\bCWWK[CE]\d{4}[EWI]/,
    "Open Liberty",
    "/logs/checkpoint/checkpoint.log and restore.log in the container",
  ],
  [
    openJ9,
    "OpenJ9",
    "CRIU's log in the directory of the images: criu.log, or the name that setLogFile() of CRIUSupport gave (setLogLevel(4) for all of it), of Open Liberty /logs/checkpoint in the container; behind a crash the javacore and core; of its own tests what criuScript.sh shows of that log",
  ],
  [
    /\bCPT (?:ERR|WRN): |\binside CT \(e\.g\. vzctl\b|\bundump failed\b|\/proc\/(?:cpt|rst)\b/,
    "OpenVZ before 7, whose kernel checkpoints without CRIU,",
    "dmesg | grep -e 'CPT ERR' -e 'CPT WRN'; vzcptcheck; vzctl --verbose chkpnt CTID",
  ],
  [
    /\blxc live migration\b|\bpct (?:suspend|resume|migrate) \d/,
    "Proxmox VE",
    "the task's log; dump.log in the directory of lxc-checkpoint -D; lxc-checkpoint -v -l DEBUG -o LOG by hand",
  ],
  [
    /\blxc-checkpoint\b|\b(?:lxc|incus)\b.{0,80}--stateful|\bforkmigrate\b|\bcriu\.c:/,
    "LXC, Incus or LXD",
    "dump.log and restore.log in the checkpoint's directory, of LXD and Incus in /var/log/lxd/NAME and /var/log/incus/NAME; incus info --show-log NAME",
  ],
  [
    /\bpodman\b.{0,80}\b(?:checkpoint|restore)\b|\blibpod\b/,
    "Podman",
    "the same with --log-level=debug and --keep: CRIU's log is in the container's userdata directory",
  ],
  [
    /\bcri-?o\b.{0,200}\b(?:checkpoint|restor)|\bkubelet\b.{0,300}\b(?:checkpoint|restor)|\bcrictl\b.{0,80}\bcheckpoint\b|\bCheckpointContainer\b/i,
    "the kubelet or its container runtime",
    "journalctl -u crio -u containerd -u kubelet on the node names CRIU's log",
  ],
  [
    /\bdocker\b.{0,80}\bcheckpoint\b|\bError response from daemon\b.{0,300}\b(?:checkpoint|restore)\b/,
    "Docker",
    "docker logs, of a container that began anew instead: releases of 2020 and 2021 (19.03.6 to 20.10.11) do so without a word; journalctl -u docker -u containerd; log-file /var/log/criu.log in /etc/criu/runc.conf keeps CRIU's log (under SELinux into a directory with chcon -t container_file_t)",
  ],
  [
    /\b(?:ctr|nerdctl|containerd)\b.{0,300}\b(?:checkpoint|restore)\b/,
    "containerd",
    "journalctl -u containerd; log-file /var/log/criu.log in /etc/criu/runc.conf keeps CRIU's log (under SELinux into a directory with chcon -t container_file_t)",
  ],
  [
    /\b(?:runc|crun|youki)\b.{0,80}\b(?:checkpoint|restore)\b|\bOCI runtime (?:checkpoint|restore)\b/,
    "the container's runtime",
    "dump.log or restore.log in --work-path; runc --debug, crun --debug",
  ],
  [
    /^\s*(?:> )?\[<[0-9a-f]{1,16}>\] \w{1,80}\+0x[0-9a-f]{1,8}\/0x/,
    "the kernel, of what a task waits for,",
    "CRIU's log with -v4, its last line of each task; cat /proc/PID/stack of criu itself and of the other tasks; ps -eLo pid,tid,stat,wchan:30,comm; a newer CRIU",
  ],
  [
    /^\s*Type=Illegal instruction vmState=|^# {1,4}SIGILL \(0x4\) at pc=/,
    "a JVM that met an instruction which this processor does not have",
    "lscpu of both machines: what was compiled on one processor runs on one that has all of its features; at the checkpoint -XX:CPUFeatures=generic (CRaC), -XX:+PortableSharedCache (OpenJ9), or the same kind of processor at both ends; recriu preflight -D DIR compares them",
  ],
];

/** It has nothing of CRIU's: what it says is none of CRIU's words, nor of those who run it. */
export const isForeign = ({ name }: Speaker): boolean => name.startsWith("DMTCP");
/** Of CRIU's functions. */
export const isDebugger = ({ name }: Speaker): boolean => name.startsWith("a debugger");
/** CRIU's own tests. */
export const isTest = ({ name }: Speaker): boolean => name.startsWith("zdtm");

/** It has its own checkpoints, so that a log of CRIU's that its engine names is none. */
export const isWithoutCriu = ({ name }: Speaker): boolean => /^(?:gVisor|OpenVZ)\b/.test(name);

/** Its user and machine may have any name. */
const prompt = /^\s*\[?[\w.-]{1,64}@[\w.-]{1,64}[: ][^\s$#]{0,80}[$#] /;

/** Its words are OpenJ9's, too, which a later line may show. */
export const isAnyJvm = ({ name }: Speaker): boolean => name === ANY_JVM;

/** `before`, or undefined, where none of them shows itself; of those who have the words of the one before only they are another. */
export function speakerOf(text: string, before?: Speaker): Speaker | undefined {
  const said = text.replace(prompt, "");
  const found = speakers.find(([words]) =>
    before === undefined ? words.test(said) : words === openJ9 && words.test(said),
  );
  return found === undefined ? before : { name: found[1], look: found[2] };
}

/** Of a failure around a checkpoint or CRIU, though no line is known. */
const about = [
  /(?<![\w./-])criu(?![\w./-])|\bcriu_(?:dump|pre_dump|restore|check|init_opts|set)(?![a-z])|\bCRaC (?:checkpoint|restore) fail|"pie: |\bcrtools\b|\b(?:cuda|amdgpu)_plugin\b|\bzdtm\b|\bUFFD\b|\blazy-(?:pages|server|restore)\b|\bpy?criu\b/i,
  /\bcheckpoint(?:ed|ing|ctl)?\b.{0,200}\b(?:error|fail(?:ed|s|ure)?|cannot|can't|not|unable|denied|refused)\b/i,
  /\b(?:error|fail(?:ed)?|cannot|can't|unable)\b.{0,200}(?:\b|test)checkpoint|\bpre-?dump/i,
  /\b(?:error|fail)\w*\b.{0,40}\b(?:on|during) restore\b|CheckpointOpen\w+Exception|SelectorException|\bcheckpointed and (?:then )?restored\b/i,
  // Of a security module, with the program's path.
  /\bSELinux is preventing ["']?(?:\S{0,200}\/)?criu\b|\bprofile="[^"]{0,200}\/criu"/,
  // As tests of them are named.
  /\b[tT]est\w{0,40}Checkpoint\w{0,40}\b|\bCheckpoint(?:And)?Restore\b/,
  // Words that CRIU has, and hardly anybody else.
  /\bphaul\b|\bunknown shit\b|\bpid mismatch\b|\bvdso\b|\d killed by signal \d|\bdoesn't have a proper root mount\b|\b(?:un)?seiz(?:e?able|ed|ing)\b/i,
  /\bnot ok \d{1,5} .{0,80}\b(?:checkpoint|restore)\b|\b[Rr]estor(?:e|ing) (?:(?:a|the|this|my) )?process(?: tree)?\b|\bprocess tree\b.{0,60}\b(?:restore|dump)|\bcompel_\w|\bparasite\b.{0,40}\b(?:fail|code|error|inject|infect)|\/checkpoint\/\w|\bpage-server\b|\bC\/R\b|--parent-path\b|\b(?:dump|restore)\.log\b|\bpid namespace\b/,
  /(?:^|[\s(])criu\/[\w/-]{1,60}\.[ch]:\d/,
  // As CRIU's debug lines and subsystems begin.
  /^\s*\d{1,10}: Debug: |^\s*Debug:\s+(?:Setting \d queue seq to|Restoring TCP options|Will turn SAK)|\blibsoccr\b|(?:^|["'`\s(])(?:mnt(?:-v2)?|sk unix|cg|cg-prop|fsnotify|uffd|page-xfer|soccr): [A-Z]/,
];
/** Options that only CRIU has. */
const option = /(?<!\w)--([a-z]+(?:-[a-z]+)+)\b/g;
let ownOptions: ReadonlySet<string> | undefined;

export function isAboutCriu(text: string): boolean {
  if (about.some((pattern) => pattern.test(text))) return true;
  ownOptions ??= new Set(criuOptions.map(({ name }) => name).filter((name) => !common.has(name)));
  return Array.from(text.matchAll(option)).some(([, name]) => ownOptions!.has(name!));
}
/** Others have them, too. */
const common: ReadonlySet<string> = new Set(["log-file", "log-pid", "work-dir", "exec-cmd"]);
