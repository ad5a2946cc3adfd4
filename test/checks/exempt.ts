/**
 * Remedies that no test types, and why: what this machine, or a test that runs beside others, cannot do. One that a test does
 * type must not be here.
 */
const packages = "it installs a package, for which a test has no network";

export const exempt: Readonly<Record<string, string>> = {
  "criu-missing": packages,
  "criu-unstartable": packages,
  "net-tools-missing": packages,
  privilege: "there is no sudo here",
  "loginuid-immutable": "no systemd runs here",
  "rlimit-lowered": "to raise a hard limit takes CAP_SYS_RESOURCE, which this machine has not",
  "sched-not-permitted": "to raise a hard limit takes CAP_SYS_RESOURCE, which this machine has not",
  "lsm-mismatch": "this kernel has neither AppArmor nor SELinux",
  "filesystem-unknown": "there is no kernel module of that file system",
  "vdso-missing": "it takes another kernel command line",
  "mount-device-missing": "the device that is to be named is that of another machine",
  "namespace-limit": "the setting is all of this machine's, and tests of namespaces run beside it",
  "ids-unmapped": "it shows the maps of a user namespace; the rest is a person's",
  "userns-map": "it shows the maps of a user namespace; the rest is a person's",
  "mount-of-host": "the option in its words is one of the next dump",
  "unix-peer-down": "the option in its words needs a socket that only the caller can make",
  "root-ignored": "the option in its words is one of the next dump",
  "sched-deadline": "what a deadline was is in no image: its command has placeholders",
  "image-lazy":
    "the dump's page server fails here (tee: Operation not permitted) before it has sent a page",
  "plugin-missing":
    "it looks through all of this machine for a file, and a person names what it found",
  "sysctl-missing":
    "this kernel lacks no setting that CRIU saves, and CRIU looks past what is mounted over one",
  "import-refused":
    "a pull takes a network, a pod a whole system, and a pre-checkpoint a kernel that tracks memory",
  "tty-no-task": "it needs a console or a serial line that nothing else of the machine uses",
};
