/** Numbers of Linux, under the names that its man pages and headers give them; errno(3) has a file of its own. */

// open(2), of x86-64 and arm64.
export const O_ACCMODE = 3;
export const O_NOCTTY = 0x100;
export const O_NONBLOCK = 0x800;
export const O_DIRECT = process.arch === "x64" ? 0x4000 : 0x10000;
export const O_DIRECTORY = process.arch === "x64" ? 0x10000 : 0x4000;
export const O_NOFOLLOW = process.arch === "x64" ? 0x20000 : 0x8000;
export const O_CLOEXEC = 0x80000;
export const O_PATH = 0x200000;
export const FD_CLOEXEC = 1;
/** Paths are looked up from the working directory: openat(2). */
export const AT_FDCWD = -100;

/** Bytes of a path, the last one NUL; of the name of a Unix socket; links that are followed on the way to a file. */
export const PATH_MAX = 4096;
export const UNIX_PATH_MAX = 108;
export const MOST_LINKS = 40;

// inode(7). STICKY is S_ISVTX: in such a directory only owners rename and remove.
export const S_IFMT = 0o170000;
export const STICKY = 0o1000;
export const WORLD_WRITES = 0o002;
export const OTHERS_WRITE = 0o022;

// socket(2), ip(7), tcp(7), netdevice(7).
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const TCP_ESTABLISHED = 1;
export const TCP_LISTEN = 10;
export const IFF_UP = 1;

// mmap(2), fcntl(2), inotify(7), timerfd_create(2), signal(7), clone(2).
export const PROT_WRITE = 2;
export const MAP_SHARED = 1;
export const MAP_HUGETLB = 0x40000;
export const F_RDLCK = 0;
export const IN_ALL_EVENTS = 0xfff;
export const TFD_TIMER_ABSTIME = 1;
export const SIGKILL = 9;
export const SIGSTOP = 19;
export const LAST_SIGNAL = 64;
export const CLONE_NEWNS = 0x20000;
export const CLONE_NEWUTS = 0x4000000;
export const CLONE_NEWIPC = 0x8000000;
export const CLONE_NEWPID = 0x20000000;
export const CLONE_NEWNET = 0x40000000;

/** asm-generic/ioctls.h: struct winsize of a terminal. */
export const TIOCGWINSZ = 0x5413;

/** Its number never changes (PROC_PID_INIT_INO of linux/proc_ns.h). The kernel logs pids as this namespace has them. */
export const INITIAL_PID_NAMESPACE = "pid:[4026531836]";
