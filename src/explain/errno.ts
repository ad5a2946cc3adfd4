/** What strerror(3) says, of glibc and of musl, to the name of the errno, and what the kernel means by it. */

/** `NAME number text`; a text of musl's own follows after a bar. errno(3), asm-generic/errno.h. */
const table = `
NONE 0 Success|No error information
EPERM 1 Operation not permitted
ENOENT 2 No such file or directory
ESRCH 3 No such process
EINTR 4 Interrupted system call
EIO 5 Input/output error|I/O error
ENXIO 6 No such device or address
E2BIG 7 Argument list too long
ENOEXEC 8 Exec format error
EBADF 9 Bad file descriptor
ECHILD 10 No child processes|No child process
EAGAIN 11 Resource temporarily unavailable
ENOMEM 12 Cannot allocate memory|Out of memory
EACCES 13 Permission denied
EFAULT 14 Bad address
ENOTBLK 15 Block device required
EBUSY 16 Device or resource busy|Resource busy
EEXIST 17 File exists
EXDEV 18 Invalid cross-device link|Cross-device link
ENODEV 19 No such device
ENOTDIR 20 Not a directory
EISDIR 21 Is a directory
EINVAL 22 Invalid argument
ENFILE 23 Too many open files in system
EMFILE 24 Too many open files|No file descriptors available
ENOTTY 25 Inappropriate ioctl for device|Not a tty
ETXTBSY 26 Text file busy
EFBIG 27 File too large
ENOSPC 28 No space left on device
ESPIPE 29 Illegal seek|Invalid seek
EROFS 30 Read-only file system
EMLINK 31 Too many links
EPIPE 32 Broken pipe
EDOM 33 Numerical argument out of domain|Domain error
ERANGE 34 Numerical result out of range|Result not representable
EDEADLK 35 Resource deadlock avoided|Resource deadlock would occur
ENAMETOOLONG 36 File name too long|Filename too long
ENOLCK 37 No locks available
ENOSYS 38 Function not implemented
ENOTEMPTY 39 Directory not empty
ELOOP 40 Too many levels of symbolic links|Symbolic link loop
ENOMSG 42 No message of desired type
EIDRM 43 Identifier removed
ENODATA 61 No data available
EPROTO 71 Protocol error
EBADMSG 74 Bad message
EOVERFLOW 75 Value too large for defined data type|Value too large for data type
EBADFD 77 File descriptor in bad state
ERESTART 85 Interrupted system call should be restarted
EILSEQ 84 Invalid or incomplete multibyte or wide character|Illegal byte sequence
EUSERS 87 Too many users
ENOTSOCK 88 Socket operation on non-socket|Not a socket
EDESTADDRREQ 89 Destination address required
EMSGSIZE 90 Message too long|Message too large
EPROTOTYPE 91 Protocol wrong type for socket
ENOPROTOOPT 92 Protocol not available
EPROTONOSUPPORT 93 Protocol not supported
ESOCKTNOSUPPORT 94 Socket type not supported
EOPNOTSUPP 95 Operation not supported|Not supported
EPFNOSUPPORT 96 Protocol family not supported
EAFNOSUPPORT 97 Address family not supported by protocol
EADDRINUSE 98 Address already in use|Address in use
EADDRNOTAVAIL 99 Cannot assign requested address|Address not available
ENETDOWN 100 Network is down
ENETUNREACH 101 Network is unreachable|Network unreachable
ENETRESET 102 Network dropped connection on reset
ECONNABORTED 103 Software caused connection abort|Connection aborted
ECONNRESET 104 Connection reset by peer
ENOBUFS 105 No buffer space available
EISCONN 106 Transport endpoint is already connected|Socket is connected
ENOTCONN 107 Transport endpoint is not connected|Socket not connected
ESHUTDOWN 108 Cannot send after transport endpoint shutdown
ETOOMANYREFS 109 Too many references: cannot splice
ETIMEDOUT 110 Connection timed out|Operation timed out
ECONNREFUSED 111 Connection refused
EHOSTDOWN 112 Host is down
EHOSTUNREACH 113 No route to host|Host is unreachable
EALREADY 114 Operation already in progress
EINPROGRESS 115 Operation now in progress|Operation in progress
ESTALE 116 Stale file handle
EUCLEAN 117 Structure needs cleaning
EREMOTEIO 121 Remote I/O error
EDQUOT 122 Disk quota exceeded|Quota exceeded
ECANCELED 125 Operation canceled
ENOKEY 126 Required key not available
EKEYREJECTED 129 Key was rejected by service
EHWPOISON 133 Memory page has hardware error
ENOTSUPP 524 Unknown error 524
`;

/** What it means whatever was asked, and the first thing to try. */
const meanings: Record<string, readonly [means: string, remedy: string]> = {
  EPERM: [
    "the kernel does not allow it to CRIU: a capability is missing, or a container, a security module or seccomp forbids it",
    "run CRIU as root with all capabilities (capsh --print), outside a restricted container; ausearch -m avc -ts recent shows a module's denial",
  ],
  ENOENT: [
    "what is named is not there, or not in the root and mount namespace in which CRIU looks",
    "put it back as it was; in a container check --root and its mounts",
  ],
  ESRCH: [
    "the process is gone: it ended, or was killed, meanwhile",
    "look in the lines before, and in dmesg, for what ended it; then try again",
  ],
  EINTR: ["a signal came between", "try again; send CRIU no signals meanwhile"],
  EIO: ["the disk or device fails", "dmesg shows the device's errors; take another copy"],
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
    "find out who has it (fuser, lsof, mount), end that, and try again",
  ],
  EEXIST: [
    "something of that name or number is there already",
    "see what it is; move it away, or end its owner",
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
    "this kernel does not take the value: it is another kernel or configuration than at the dump, or the images are damaged",
    "compare uname -r with the machine of the dump; criu check --all; copy the checkpoint again",
  ],
  ENFILE: ["the machine has too many open files", "sysctl -w fs.file-max=1048576"],
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
  ERANGE: ["the value is out of the kernel's range", "copy the checkpoint again; criu check --all"],
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
  EADDRINUSE: ["the address is taken", "ss -tulpn and ss -xlp show who has it"],
  EADDRNOTAVAIL: ["this machine has no such address", "ip addr; give it the address"],
  ENETUNREACH: ["there is no route", "ip route; ip link set lo up"],
  ECONNRESET: ["the other end has broken off", "look at the other end's log"],
  ENOBUFS: ["the kernel has no buffers for it", "sysctl -w net.core.wmem_max=16777216; free -m"],
  ENOTCONN: ["the socket is not connected", "look for why the other end ended"],
  ETIMEDOUT: ["nobody answered in time", "look at the other end, and at what keeps it"],
  ECONNREFUSED: ["nobody listens there", "start what should listen first"],
  EHOSTUNREACH: ["there is no way to that machine", "ip route get ADDRESS"],
  ESTALE: ["the network file system has lost the file", "mount it again"],
  EDQUOT: ["the disk quota is used up", "quota -s; free space"],
};

export interface Errno {
  readonly name: string;
  readonly text: string;
  /** What the kernel means by it, and what to try; undefined for the rare ones. */
  readonly means: string | undefined;
  readonly remedy: string | undefined;
}

const byText = new Map<string, Errno>();
const byNumber = new Map<number, Errno>();
for (const row of table.trim().split("\n")) {
  const [, name, number, texts] = /^(\w+) (\d+) (.*)$/.exec(row)!;
  const [text, musl] = texts!.split("|") as [string, string?];
  const [means, remedy] = meanings[name!] ?? [];
  const errno: Errno = { name: name!, text, means, remedy };
  byNumber.set(Number(number), errno);
  for (const words of [text, musl]) if (words !== undefined) byText.set(words, errno);
}

export const errnoNames: ReadonlySet<string> = new Set(
  [...byNumber.values()].map(({ name }) => name),
);

/** `-17` or `17`, as code in a restored task prints it; undefined where the number is none. */
export const errnoOf = (number: string): Errno | undefined =>
  byNumber.get(Math.abs(Number(number)));

/** A message in front of the words of an errno, and that; the whole message where it ends in none. */
export function splitErrno(message: string): { said: string; errno: Errno | undefined } {
  for (let at = message.lastIndexOf(": "); at > 0; at = message.lastIndexOf(": ", at - 1)) {
    const errno = byText.get(message.slice(at + 2).replace(/[.!)\s]+$/, ""));
    if (errno !== undefined) return { said: message.slice(0, at), errno };
    if (message.length - at > 60) break;
  }
  return { said: message, errno: undefined };
}
