/** Which of CRIU's options recriu adds by itself when a finding needs them, and which it only names. */

interface OptionPolicy {
  option: string;
  added: boolean;
  why: string;
}

export const optionPolicies: readonly OptionPolicy[] = [
  {
    option: "--manage-cgroups=ignore",
    added: true,
    why: "The tree runs in the cgroup of the restore instead of not at all; verification says so. Never when --manage-cgroups was given.",
  },
  {
    option: "--tcp-established",
    added: true,
    why: "Connections come back as they were saved. Never when --tcp-established or --tcp-close was given, --no- forms too.",
  },
  {
    option: "--ext-unix-sk",
    added: true,
    why: "Sockets are connected to the same server as before, by its name; without the option CRIU refuses them.",
  },
  {
    option: "--shell-job",
    added: true,
    why: "The dump was made with it, and a tree in the session of its shell can come back in no other way. Only where a terminal or a session to join is there.",
  },
  {
    option: "--work-dir",
    added: true,
    why: "Only where CRIU has to make a directory for cgroups and the images' own directory is read-only; paths of other options would not change their meaning.",
  },
  {
    option: "--deprecated",
    added: true,
    why: "It allows reading formats of very old images, nothing else.",
  },
  {
    option: "--allow-uprobes",
    added: true,
    why: "The dump was made with it; the mapping is left out of the images either way.",
  },
  {
    option: "--unprivileged",
    added: true,
    why: "The caller has no more rights; without the option CRIU does not restore at all. Never when --unprivileged or --no-unprivileged was given.",
  },
  {
    option: "--mntns-compat-mode",
    added: true,
    why: "The same mounts are made in another order. Never when --mntns-compat-mode or --no-mntns-compat-mode was given.",
  },
  {
    option: "--tcp-close",
    added: false,
    why: "The program loses its connections.",
  },
  {
    option: "--file-locks",
    added: false,
    why: "CRIU waits without end for locks that another process holds.",
  },
  {
    option: "--file-validation",
    added: false,
    why: "A weaker comparison lets another build of a library pass, which crashes later.",
  },
  {
    option: "--cpu-cap",
    added: false,
    why: "Without the comparison a program can meet an instruction that this processor does not have.",
  },
  {
    option: "--weak-sysctls",
    added: false,
    why: "The tree's network runs with other settings than it had.",
  },
  {
    option: "--external=mnt[/run/crun/.empty-directory]:/run/crun/.empty-directory",
    added: true,
    why: "crun covers masked directories with an empty one, and called with --root maps another name of it.",
  },
  {
    option: "--external",
    added: false,
    why: "It hands the tree something of this machine: which, is for the user to say.",
  },
  {
    option: "--join-ns",
    added: false,
    why: "The user has to say which namespace the tree goes into.",
  },
  {
    option: "--inherit-fd",
    added: false,
    why: "Only the caller can open the descriptor.",
  },
  {
    option: "--root",
    added: false,
    why: "Which directory is the container's is for the user to say.",
  },
  {
    option: "--cgroup-root",
    added: false,
    why: "It chooses other cgroups than the tree had.",
  },
  {
    option: "--manage-cgroups",
    added: false,
    why: "Another mode than ignore makes or changes cgroups that the user chose not to have made.",
  },
  {
    option: "--libdir",
    added: false,
    why: "It leaves out plugins that were installed on purpose.",
  },
  {
    option: "--no-auto-dedup",
    added: false,
    why: "A caller who asks for --auto-dedup needs the room.",
  },
  {
    option: "--lazy-pages",
    added: false,
    why: "It needs a daemon, `criu lazy-pages`, that has to be started and watched.",
  },
];

/** `--external mnt[a]:b`, `--cpu-cap=none` … to what is done with that option; undefined: not decided, so it is not added. */
export function policyOf(option: string): OptionPolicy | undefined {
  const [name] = option.split(/[= ]/);
  return (
    optionPolicies.find((policy) => policy.option === option) ??
    optionPolicies.find((policy) => policy.option === name)
  );
}
