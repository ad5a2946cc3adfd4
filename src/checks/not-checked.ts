/** What docs/checks.md lists as not checked: a known way to fail that no check looks for, and why. */

export interface NotChecked {
  /** What goes wrong, with CRIU's message where it has one. */
  what: string;
  why: string;
}

export const notChecked: readonly NotChecked[] = [
  {
    what: "Kernels before 5.5 give a task its number through /proc/sys/kernel/ns_last_pid: `Setting PID failed`, or `Pid N do not match expected M`.",
    why: "Whether somebody takes the number in between is a race. From 5.5 on CRIU asks for the number itself, and pid-in-use says who has it.",
  },
  {
    what: "A number of the images is taken after recriu has looked: `Can't fork for N: File exists`.",
    why: "Nobody can reserve a number. CRIU stops before anything is changed, and the restore can be tried again.",
  },
  {
    what: "Images of a CRIU that saved no scheduling: every thread comes back under SCHED_OTHER with nice value 0.",
    why: "What the threads had is nowhere in the images.",
  },
  {
    what: "An SELinux context that the loaded policy does not know, or into which it allows no transition: `can't write lsm profile -22` or `-13`.",
    why: "Only the policy can tell, by a transition that is tried. That another module runs is seen: lsm-mismatch.",
  },
  {
    what: "AppArmor profiles that are stacked (`//&`) or stand in a policy namespace (`:ns://`).",
    why: "CRIU loads these from apparmor.img with apparmor_parser. Plain profiles are looked up: apparmor-profile-missing.",
  },
  {
    what: "`Unable to set no_new_privs`.",
    why: "No kernel from 3.5 on refuses it.",
  },
  {
    what: "Capabilities that this kernel does not know yet are left out.",
    why: "Nothing here asks for them; the kernel drops them without an error.",
  },
  {
    what: "A console (/dev/ttyN) that the restored tree shares with whoever uses it now.",
    why: "The kernel lets any number of programs open a console, and the images do not say who else should.",
  },
  {
    what: "Actions and flags of a seccomp filter that this kernel does not know: `seccomp: SECCOMP_SET_MODE_FILTER returned -22`.",
    why: "They are as old as kernel 4.14, older than most of what CRIU itself needs. Kernels without any filters are seen: seccomp-unsupported.",
  },
  {
    what: "The master end of a terminal of outside that a runtime wants back (orphan_pts_master).",
    why: "It exists only in CRIU's RPC; the command line has no such option.",
  },
];
