/** What the kernel means by an errno whatever was asked of it, and the first thing to try. */
export const meanings: Record<string, readonly [means: string, remedy: string]> = {
  EPERM: [
    "the kernel does not allow it: a capability is missing, or a container, a security module or seccomp forbids it",
    "run CRIU as root with all capabilities (capsh --print), outside a restricted container; ausearch -m avc -ts recent shows a module's denial",
  ],
  ENOENT: [
    "what is named is not there, or not in the root and mount namespace in which it is looked for",
    "put it back as it was; in a container check --root and its mounts",
  ],
  ESRCH: [
    "the process is gone: it ended, or was killed, meanwhile",
    "look in the lines before, and in dmesg, for what ended it; then try again",
  ],
  EINTR: ["a signal came between", "try again; send CRIU no signals meanwhile"],
  EIO: [
    "the disk or device fails; of a terminal: its other end is gone, or the process is not in its foreground",
    "dmesg shows the device's errors; ps -o pid,pgid,tpgid,tty,stat shows a terminal's foreground (tpgid)",
  ],
  ENXIO: [
    "there is no device behind that name, or nobody at the other end",
    "check that the device, or the terminal, exists on this machine",
  ],
  EBADF: [
    "the descriptor is not open: somebody has closed it",
    "start CRIU with the descriptors that its options name open",
  ],
  ECHILD: [
    "the child was waited for by somebody else",
    "do not run CRIU with SIGCHLD ignored; try again",
  ],
  EAGAIN: [
    "a limit is reached: of processes, of memory that may be locked, or of a queue",
    "ulimit -a; cat pids.max and pids.current of the cgroup; try again with less beside it",
  ],
  ENOMEM: [
    "there is no memory for it: on the machine, in the cgroup, or by vm.max_map_count and vm.overcommit_memory",
    "free -m; cat memory.max memory.events of the cgroup; sysctl vm.overcommit_memory vm.max_map_count",
  ],
  EACCES: [
    "permissions or a security module deny it",
    "ls -lZ the path and the directories above it; ausearch -m avc -ts recent; journalctl -k | grep -i apparmor",
  ],
  EFAULT: ["an address is not mapped", "report it with the whole log (-v4)"],
  EBUSY: [
    "somebody else is using it",
    "find the process or the mount that uses it (fuser, lsof, mount), end it, and try again",
  ],
  EEXIST: [
    "something of that name or number is there already",
    "ls -l, or ps: see what it is, and whose; then move it aside for the time, or end its owner",
  ],
  EXDEV: [
    "two names are on different file systems or mounts",
    "put both on one file system, as they were at the dump",
  ],
  ENODEV: [
    "the kernel has no such device, file system or driver, or its module is not loaded",
    "modprobe what is named; grep it in /proc/filesystems and /proc/devices",
  ],
  ENOTDIR: ["a part of the path is no directory", "put a directory there, as at the dump"],
  EISDIR: ["a directory stands where a file is wanted", "put the file there, as at the dump"],
  EINVAL: [
    "this kernel does not take the value, or not of what it was asked of: another kernel or configuration than at the dump, or something else stands at that place",
    "compare uname -r and what is named with the machine of the dump; criu check --all; a newer CRIU",
  ],
  ENFILE: [
    "the machine has too many open files",
    "sysctl fs.file-nr fs.file-max: end what has so many open, or a larger fs.file-max",
  ],
  EMFILE: [
    "the limit of open files, or of instances, is reached",
    "ulimit -n 1048576; sysctl fs.nr_open fs.inotify.max_user_instances",
  ],
  ENOTTY: [
    "the file is of another kind, or its driver does not know the request",
    "check that what stands there is what stood there at the dump; criu check --all",
  ],
  ETXTBSY: ["the program is running", "end what runs it"],
  EFBIG: ["the file would be larger than a limit", "ulimit -f unlimited"],
  ENOSPC: [
    "the disk is full, or a limit of the kernel's is (inotify watches, a tmpfs's size)",
    "df -h; df -i; free space, or give a directory with more (--images-dir, --work-dir)",
  ],
  EROFS: ["the file system is mounted read-only", "mount -o remount,rw it for the time"],
  EPIPE: [
    "the other end is closed: its process has ended",
    "look for why the other end ended: its own log, dmesg",
  ],
  ERANGE: [
    "the value is out of the kernel's range",
    "compare the kernel's limits with those of the dump's machine (sysctl); criu check --all",
  ],
  ENAMETOOLONG: ["the path is too long", "use shorter paths"],
  ENOSYS: [
    "this kernel, or a seccomp filter over CRIU, has no such system call",
    "criu check --all; a kernel with CONFIG_CHECKPOINT_RESTORE; in a container: --security-opt seccomp=unconfined",
  ],
  ENOTEMPTY: ["the directory is not empty", "look what is in it, and move that away"],
  ELOOP: ["symbolic links lead in a circle", "namei -l PATH shows them"],
  EMSGSIZE: ["the message is larger than the buffer", "sysctl -w net.core.wmem_max=16777216"],
  ENOPROTOOPT: [
    "this kernel does not know that option of sockets",
    "criu check --all; restore on a kernel like the one of the dump",
  ],
  EPROTONOSUPPORT: [
    "the kernel has no such protocol, or its module is not loaded",
    "modprobe it; compare the kernel's configuration with that of the dump's machine",
  ],
  EOPNOTSUPP: [
    "this kernel or file system cannot do that",
    "criu check --all; compare kernel and file system with those of the dump's machine; a newer CRIU",
  ],
  EAFNOSUPPORT: [
    "the kernel has no such kind of sockets (IPv6 may be switched off)",
    "sysctl net.ipv6.conf.all.disable_ipv6; modprobe the family",
  ],
  EADDRINUSE: ["the address is taken", "ss -tulpn and ss -xlp show the process that has it"],
  EADDRNOTAVAIL: ["this machine has no such address", "ip addr; give it the address"],
  ENETUNREACH: ["there is no route", "ip route; ip link set lo up"],
  ECONNRESET: ["the other end has broken off", "look at the other end's log"],
  ENOBUFS: ["the kernel has no buffers for it", "sysctl -w net.core.wmem_max=16777216; free -m"],
  ENOTCONN: ["the socket is not connected", "look for why the other end ended"],
  ETIMEDOUT: ["nobody answered in time", "look at the other end, and at what keeps it"],
  ECONNREFUSED: ["nobody listens there", "start what should listen first"],
  EHOSTUNREACH: ["there is no way to that machine", "ip route get ADDRESS"],
  ESTALE: [
    "what the number (handle) stood for is not there: it was deleted, or the file system, a network's most often, knows it no more",
    "see whether the file is there by its path; a network file system: mount it again",
  ],
  EDQUOT: ["the disk quota is used up", "quota -s; free space"],
};
