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
  {
    what: "A live server in another network namespace at the path of a Unix socket of the tree.",
    why: "The kernel, by sock_diag(7), lists one network namespace only, and the file does not tell whose socket it is.",
  },
  {
    what: "Unix sockets that a plugin of CRIU made (RESTORE_UNIX_SK).",
    why: "Where the plugin is not there CRIU makes an ordinary socket in its place; the images do not say which plugin it was.",
  },
  {
    what: "`Unable to change … ownership`: the owner of a socket or deleted file has no number in the user namespace.",
    why: "CRIU makes them with the rights that it has there; the owner was mapped at the dump, and the map is restored with it.",
  },
  {
    what: "Stream data that does not fit into a Unix socket again (`Restored skb trimmed`).",
    why: "CRIU raises the buffers beyond net.core.wmem_max for the restore, so it fits where CRIU has CAP_NET_ADMIN.",
  },
  {
    what: "A device node at an old path that is another device now.",
    why: "In files.img are the path and the mode of a device, but not its number (terminals apart).",
  },
  {
    what: "`Can't restore file pos`.",
    why: "A file that could be positioned can be again; one of another kind is file-changed.",
  },
  {
    what: "A program that somebody writes to (`Can't restore EXE link`), or a file written to that runs (Text file busy).",
    why: "Who has a file open for writing is seen only from every process's descriptors, and is over in a moment.",
  },
  {
    what: "A file that cannot be opened with the rights of this user.",
    why: "CRIU may have other rights than recriu (capabilities on its file); as root nothing refuses.",
  },
  {
    what: "Leases on files (fcntl(2), F_SETLEASE).",
    why: "One that another process holds is broken by CRIU's opening of the file already.",
  },
  {
    what: "TCP connections whose peer's machine answers meanwhile (RST): after a reboot, on another machine, at a second restore. With unsent data: `Can't restore not-sent send queue data: Broken pipe`.",
    why: "It depends on what has been sent since the dump, and on packet filter rules that CRIU left on its machine.",
  },
  {
    what: "`Can't connect inet socket back: Network is unreachable`: no route to a peer.",
    why: "Where the address of this end is there, its route nearly always is; only the kernel could tell for sure.",
  },
  {
    what: "A TCP port in use by a connection that is no listener, or in TIME_WAIT.",
    why: "Whether the kernel refuses depends on an option of that socket which nobody can be asked for any more.",
  },
  {
    what: "Ports below net.ipv4.ip_unprivileged_port_start, and repair mode, without CAP_NET_BIND_SERVICE and CAP_NET_ADMIN.",
    why: "CRIU may have other rights than recriu; `recriu doctor` names what is missing.",
  },
  {
    what: "Protocols that this kernel does not have (MPTCP, SCTP, ICMP and netlink families).",
    why: "What a kernel can do is only seen by doing it, which loads modules.",
  },
  {
    what: "`Netlink socket id … reassigned new port`.",
    why: "CRIU takes another port, and hardly any program looks at it.",
  },
  {
    what: "`No tun device for file`: TUN and TAP.",
    why: "Their devices are made from the images of a network namespace of the tree's own, and the images name each.",
  },
  {
    what: "A packet socket whose interface number is another interface now.",
    why: "The images have the number only.",
  },
];
