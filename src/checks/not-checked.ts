/** What docs/checks.md lists as not checked: a known way to fail that no check looks for, and why. */

interface NotChecked {
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
    why: "The images do not have what the threads had.",
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
    what: "A task's own directory in /proc is open or worked in, and the dump wrote what stood in its memory behind the name: `Can't open file proc/27/… on restore: No such file or directory`.",
    why: "CRIU's dump, 4.2 still, puts a slash in the place of the name's end. It was seen with short numbers, in a young pid namespace; what is behind the slash could be a file of the task's own, too.",
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
    why: "Only the descriptors of every process show a file that is open for writing, and it may be closed a moment later.",
  },
  {
    what: "A file that cannot be opened with the rights of this user.",
    why: "CRIU may have other rights than recriu (capabilities on its file); as root nothing refuses.",
  },
  {
    what: "Paths that a container's bundle masks or has read-only (maskedPaths, readonlyPaths), and its mounts, devices and limits, against those in the images.",
    why:
      "Runtimes leave out what the kernel does not have, so a path without a mask may be one that was not there at the dump; the lists grow from release to release. What is " +
      "of one kind everywhere is compared: bundle-namespace, bundle-root, bundle-capabilities and their like.",
  },
  {
    what: "Which system calls a seccomp filter refuses, against the profile in the container's bundle.",
    why: "The images have the compiled program; runtimes and libraries compile one profile in many ways. That there is a filter which refuses something is compared: bundle-seccomp.",
  },
  {
    what: "An eventfd that was made with EFD_SEMAPHORE comes back as an ordinary one.",
    why: "CRIU saves the counter, and not the kind; the images do not tell.",
  },
  {
    what: "Events of inotify and fanotify that had not been read are gone (`inotify events will be dropped`, says the dump).",
    why: "They are not in the images, nor whether there were any.",
  },
  {
    what: "A timer set to an absolute time (TFD_TIMER_ABSTIME) fires after the time that was left at the dump, up to a second early, and not at that time.",
    why: "The images have the time that was left, and not the one that was set.",
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
    why: "A kernel shows what it can do only when it is asked to do it, and that loads modules.",
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
  {
    what: "`Unable to restore freezer state`, a v1 freezer that was frozen at the dump.",
    why: "CRIU only warns and goes on.",
  },
  {
    what: "Cgroup settings with rules of their own (devices.list, memory limits below what is in use, exclusive cpusets of others).",
    why: "All cgroups around at that moment decide what the kernel refuses; the controllers' files, processors and processor time are checked.",
  },
  {
    what: "--manage-cgroups=ignore of CRIU before 3.17, which moved the tasks all the same and failed.",
    why: "Recriu supports CRIU from 3.17 on.",
  },
  {
    what: "--root that is no mount point.",
    why: "CRIU 4.1.1 takes a plain directory, with --mntns-compat-mode too (staged).",
  },
  {
    what: "A mount whose `context=` SELinux refuses (--lsm-mount-context).",
    why: "Whether the loaded policy knows a context can only be asked by mounting.",
  },
  {
    what: "`Unable to restore nftables. CRIU was built without libnftables support`, `nft command error`.",
    why: "Only a check that takes 30 ms tells what that CRIU was built with; rules are the kernel's to judge.",
  },
  {
    what: "`iptables-restore -w failed`: a lock that cannot be written, a match that the kernel lacks.",
    why: "Only the tool itself knows; that it is there at all is checked.",
  },
  {
    what: "Packet filter rules of CRIU that a killed run left (chain CRIU, nft table CRIU-<id>).",
    why: "Whether a rule still belongs to a running CRIU is not to be seen, and listing rules needs the tools.",
  },
  {
    what: "`Unable to specify ifindex in the target namespace`, modules of veth, bridge, macvlan and sit devices.",
    why: "Modules are loaded on demand, and what the kernel can do with a device is only known by doing it.",
  },
  {
    what: "`Failed to restore shm id`, `Failed to set desired IPC shm ID` and the like.",
    why: "The ids are free in a new IPC namespace, and a kernel without *_next_id lacks CONFIG_CHECKPOINT_RESTORE, with which CRIU does not start.",
  },
  {
    what: "Messages in POSIX message queues are lost.",
    why: "The images do not say whether there were any.",
  },
  {
    what: "User namespaces forbidden by kernel.unprivileged_userns_clone or AppArmor.",
    why: "They are forbidden to the unprivileged only, and a restore with namespaces needs CAP_SYS_ADMIN; a limit of 0 is checked.",
  },
  {
    what: "`FPU xsave area present, but host cpu doesn't support it`, `Corruption in … area`.",
    why: "A processor without xsave is rare, sizes of areas differ by damage only, and recriu leaves registers as bytes.",
  },
  {
    what: "`CPU xfeatures has unsupported bits`, `CPU xsave size mismatch` with --cpu-cap.",
    why: "They are told by the CPUID instruction, which /proc does not show.",
  },
  {
    what: "`Compatible mode without vdso map support`, shadow stacks, membarrier commands.",
    why: "Whether a kernel was built with them is only known by asking it to do them.",
  },
  {
    what: "`Can't create timers, kernel don't give them consequently`.",
    why: "Which kernels do so is only known by making timers.",
  },
  {
    what: "`Can't add event` of an epoll descriptor (a target that cannot be polled, too deep a nesting).",
    why: "The program had the same target before the dump.",
  },
  {
    what: "`timerfd_create failed` for clocks that wake the machine.",
    why: "CRIU refuses to dump them (staged: `Unknown clock type 9`).",
  },
  {
    what: "`Adding fanotify mask … failed`, marks of whole mounts.",
    why: "Their paths are those of the mounts; marks of files and directories are checked.",
  },
  {
    what: "`Can't create pidfd`.",
    why: "CRIU makes a process for one that points to a dead process.",
  },
  {
    what: "BPF maps where CRIU was built without libbpf.",
    why: "Nothing shows from outside what that CRIU was built with.",
  },
  {
    what: "Another GPU, driver or topology than at the dump (CUDA, AMD).",
    why: "The plugins' own tools compare them; that there is a GPU and cuda-checkpoint is checked.",
  },
  {
    what: "A plugin of CRIU lacks a symbol or a library: `Unable to load X: undefined symbol …`.",
    why: "Only loading it tells, and that runs its code. Files that are no shared objects of this machine are seen: plugin-broken.",
  },
  {
    what: "What CRIU remembers of the kernel in /run/criu.kdat is not true any more.",
    why:
      "CRIU keeps it on a tmpfs only, so it never outlives a boot, and its layout differs from build to build. After fs.nr_open was raised " +
      "or modules were loaded, `rm /run/criu.kdat` makes CRIU look again.",
  },
  {
    what: "`Can't bind transport socket /crtools-fd-PID-0`: two restores of one pid at a time in one network namespace, under a container runtime and CRIU up to 4.0.",
    why: "On the command line every CRIU since 3.17 makes the name unique; under a runtime the other restore may begin later.",
  },
  {
    what: "The memory limit of the cgroup that the tree comes back to.",
    why: "CRIU puts the limit back that the tree had with that same memory. What a smaller one (of a cgroup above, or with --manage-cgroups=ignore) does depends on what else is in there by then.",
  },
  {
    what: "Shared huge pages of System V and of files on hugetlbfs.",
    why: "Several mappings may be of the same pages, which the images do not always tell. Private ones and memory files are counted: hugepages-short.",
  },
  {
    what: "Images that come through criu-image-streamer (--stream).",
    why: "They are in no file before CRIU asks for them, and can be read once.",
  },
  {
    what: "A kernel without userfaultfd: `Lazy pages are not available`.",
    why: "`criu lazy-pages` has the same need, and ends before its socket is there: lazy-pages-socket.",
  },
  {
    what: "What is asked by RPC (`criu service`, `criu swrk`, libcriu): --inherit-fd and siblings are refused by the service; the cgroup mode is a yes or no; the configuration file it names wins over the request.",
    why: "The request is in no command line. These checks see what `criu restore` would be given.",
  },
  {
    what: "The disk of the work directory is full: `Can't make temp cgyard dir: No space left on device`; the log ends early.",
    why: "How much is free changes while others write. A directory that cannot be written to at all is seen: work-dir-unwritable.",
  },
  {
    what: "Images of a CRIU so old that they have no scheduling policy.",
    why: "Its threads come back with the usual one; what they had is nowhere.",
  },
  {
    what: "`Unsupported message size` of System V message queues, host and domain names of a UTS namespace.",
    why: "The kernel takes back what it gave CRIU; it refuses only what is damaged, or where a privilege is missing, which is checked.",
  },
];
