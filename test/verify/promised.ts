/** Every value that the tables of docs/verification.md promise, and the test that sees it differ. */

/** In which file it is seen to differ, and words that stand there: a test's name, or what it calls the difference. */
type Seen = readonly [file: string, words: string];

const tasks = (words: string): Seen => ["test/verify/tasks.test.ts", words];
const rights = (words: string): Seen => ["test/verify/rights.test.ts", words];
const state = (words: string): Seen => ["test/verify/state.test.ts", words];
const shared = (words: string): Seen => ["test/verify/shared.test.ts", words];
const inet = (words: string): Seen => ["test/verify/inet.test.ts", words];
const sockets = (words: string): Seen => ["test/verify/sockets.test.ts", words];
const protocol = (words: string): Seen => ["test/verify/protocol-options.test.ts", words];
const terminals = (words: string): Seen => ["test/verify/terminals.test.ts", words];
const descriptors = (words: string): Seen => ["test/verify/descriptors.test.ts", words];
const open = (words: string): Seen => ["test/restore/open-files.test.ts", words];
const watches = (words: string): Seen => ["test/verify/watches.test.ts", words];
const memory = (words: string): Seen => ["test/restore/memory.test.ts", words];

const ids = rights("each of the ids, and the groups in any order");
const gone = tasks("a task that is gone, one that ended, one that came to life");
const threads = tasks("threads: each that was saved, and no other");
const namespaces = shared("namespaces: whose each is, and that no other's is its own");
const peers = sockets(
  "which two are the ends of one connection, what was shut down, how many may wait",
);
const options = sockets("each option of sockets that CRIU saves");
const modes = terminals("index, modes with every character, size");
const exclusive = terminals("TIOCEXCL of either end; packet mode and lock of a master");
const scheduling = rights("scheduling of every thread: policy with its flag, priority, nice");
const ignored = state("signals: ignored, caught, blocked");
const pending = state("signals: those that wait, of the process and of each thread");
const timers = state("POSIX timers: number, clock, signal");
const mapped = state("mappings: addresses, protection, sharing, file and offset; and no others");
const mounts = shared(
  "mounts of a namespace of the tree's own: places, flags, sharing, and no others",
);
const locks = shared(
  "file locks and leases: that each is held, its type and range, and that one is broken",
);
const cgroups = shared("cgroups of every thread in every hierarchy");
const place = state("executable, working directory, root: what changed is told, a root never is");
const own = rights("oom_score_adj, dumpable, personality, umask");

/** By the first cell of a row: each value of its second cell, in its order. */
export const promised: Record<string, [value: string, seen: Seen][]> = {
  tasks: [
    ["that each exists", gone],
    ["as a zombie or alive", gone],
    ["parent", tasks("another parent: only when the first has ended")],
    ["session", tasks("sessions and groups: its own a task makes itself, another's never")],
    ["process group", tasks("sessions and groups: its own a task makes itself, another's never")],
    ["nothing more", tasks("a process that was not saved")],
  ],
  threads: [
    ["that each exists", threads],
    ["no others", threads],
  ],
  namespaces: [
    ["which tasks share which, with each other", namespaces],
    ["with CRIU", namespaces],
  ],
  descriptors: [
    ["numbers", descriptors("and no others: CRIU's own are gone by then")],
    ["what each leads to", descriptors("a file: by its path; one that is closed, or another's")],
    [
      "which are one open file",
      descriptors("which are one open file: two openings of one path are two"),
    ],
    ["close-on-exec", descriptors("close-on-exec, of every descriptor")],
    ["flags", descriptors("each flag that an open file keeps")],
    ["position", descriptors("the position, while nothing runs")],
  ],
  "open files": [
    ["what each kind holds: [below](#open-files)", open("changed behind CRIU's back")],
  ],
  "inet sockets": [
    ["ports of TCP and UDP sockets", inet("a listener on its port, on another, and none")],
    ["that those that listened listen", inet("a listener on its port, on another, and none")],
    ["state", inet("TCP state of descriptor")],
    [
      "queues of connections while the network is locked",
      inet("bytes sent and received of descriptor"),
    ],
  ],
  "unix sockets": [
    ["names", sockets("a Unix socket's name, and that it listens")],
    ["that those that listened listen", sockets("a Unix socket's name, and that it listens")],
  ],
  "unix peers": [
    ["which two descriptors are the ends of one connection", peers],
    ["what was shut down", peers],
    ["how many may wait to be accepted", peers],
  ],
  "socket options": [
    ["buffers", options],
    ["timeouts", options],
    ["priority", options],
    ["mark", options],
    ["keepalive", options],
    ["linger", options],
    ["what else CRIU saves of SOL_SOCKET", options],
    ["IP", protocol('"IP"')],
    ["TCP", protocol('"TCP"')],
    ["packet sockets", protocol('"packet"')],
  ],
  terminals: [
    ["pseudoterminals: number", modes],
    ["modes", modes],
    ["size", modes],
    ["TIOCEXCL", exclusive],
    ["packet mode", exclusive],
    ["lock", exclusive],
    [
      "which session they control",
      terminals("whose session it controls, and which group is in the foreground"),
    ],
    [
      "its foreground group",
      terminals("whose session it controls, and which group is in the foreground"),
    ],
  ],
  command: [["the name of every thread", state("the name of every thread; images of old CRIUs")]],
  "executable, cwd, root": [["paths", place]],
  credentials: [
    ["user", ids],
    ["group", ids],
    ["supplementary ids", ids],
    ["capability sets", rights("each set of capabilities, both words of it")],
    ["no_new_privs", rights("no_new_privs and seccomp: taken on is changed, thrown off is not")],
    ["seccomp mode", rights("no_new_privs and seccomp: taken on is changed, thrown off is not")],
  ],
  labels: [
    [
      "AppArmor profile or SELinux context of every thread",
      rights("labels, but where another is asked for"),
    ],
  ],
  scheduling: [
    ["policy with its reset-on-fork flag", scheduling],
    ["priority", scheduling],
    ["nice", scheduling],
    ["of every thread", scheduling],
    ["a priority that was not saved against the chosen one", scheduling],
  ],
  limits: [
    [
      "every resource limit",
      rights("limits, soft and hard: lowered by the program is changed, raised never"),
    ],
  ],
  signals: [
    ["ignored", ignored],
    ["caught", ignored],
    ["pending", pending],
    ["pending", pending],
    ["blocked per thread", ignored],
  ],
  timers: [
    ["POSIX timers: number", timers],
    ["clock", timers],
    ["signal", timers],
  ],
  mappings: [
    ["addresses", mapped],
    ["protection", mapped],
    ["sharing", mapped],
    ["file", mapped],
    ["offset", mapped],
    ["how much is locked", state("mappings: how much is locked")],
  ],
  mounts: [
    ["of each mount namespace of the tree's own: places", mounts],
    ["flags", mounts],
    ["whether they are shared", mounts],
    ["slaves", mounts],
    ["unbindable", mounts],
  ],
  layout: [
    ["where code, data, stack, heap, arguments and environment are", state("layout: every part")],
  ],
  "file locks": [
    ["that each is held", locks],
    ["leases too", locks],
    ["with their type", locks],
    ["whether they are being broken", locks],
  ],
  cgroups: [
    ["of every thread", cgroups],
    ["in every hierarchy", cgroups],
  ],
  memory: [
    ["with `--verify=memory`: every page of the images", memory("one byte in")],
    ["that there are no others ([below](#memory))", memory("one byte in")],
  ],
  process: [
    ["oom_score_adj", own],
    ["personality", own],
    ["umask", own],
    ["dumpable, of tasks that are not root's", own],
  ],
  "regular file, directory, device": [
    ["path", descriptors("a file: by its path; one that is closed, or another's")],
    ["flags", descriptors("each flag that an open file keeps")],
    ["position", descriptors("the position, while nothing runs")],
    ["file locks by their own facet", locks],
  ],
  eventfd: [["counter", open("eventfd counter of descriptor 10")]],
  signalfd: [["mask", open("signalfd mask of descriptor 12")]],
  timerfd: [
    ["clock", open("timerfd clock of descriptor 13")],
    ["flags", open("timerfd flags of descriptor 13")],
    ["period", open("timerfd interval of descriptor 13")],
    ["ticks that were not read", open("timerfd ticks of descriptor 15")],
    [
      "that it is armed, for no later than it was, or not armed",
      open("timerfd of descriptor 16: not armed"),
    ],
  ],
  epoll: [
    ["number", open("watch of 10 of descriptor 19: events 0x80000019, data 0x7")],
    ["events", open("watch 10 0x80000004 7")],
    ["data of each watch", open("watch 10 0x80000001 9")],
    ["that it is that file and no other (kcmp)", open("target of watch 10 of descriptor 19")],
  ],
  inotify: [
    ["number", open("a watch that was not saved of descriptor 20")],
    ["mask of each watch", open("mask of watch 2 of descriptor 20")],
    [
      "that it is on what is at the saved path",
      watches("file of watch: the saved one, or what is at its path now, and no other"),
    ],
    [
      "On a deleted file it is lost, and IN_DELETE_SELF comes (tolerated): CRIU takes back the name under which it made the file anew",
      watches(
        "inotify: the mask, a watch that is gone or was not there; that on a deleted file is lost",
      ),
    ],
  ],
  fanotify: [
    ["flags", open("fanotify flags of descriptor 33")],
    ["masks of each mark", open("mark on a file of descriptor 33")],
    [
      "file of a mark on a file",
      watches("file of a mark, its masks, flags, and marks that were not saved"),
    ],
  ],
  pidfd: [["the process", open("process of descriptor 32")]],
  pipe: [
    ["room", open("room of the pipe of descriptor 21")],
    ["how much is in it", open("bytes in the pipe of descriptor 21")],
    ["byte by byte", open("content of the pipe of descriptor 21")],
    ["which descriptors are its ends", open("other ends of the pipe of descriptor 22")],
  ],
  FIFO: [["the same, by its name", open("bytes in the FIFO of descriptor 23")]],
  "memory file": [
    ["name", open("name of the memory file of descriptor 24")],
    ["size", open("size of the memory file of descriptor 24")],
    ["mode", open("mode of the memory file of descriptor 24")],
    ["owner", open("owner of the memory file of descriptor 24")],
    ["seals", open("seals of the memory file of descriptor 24")],
    ["position", open("position of descriptor 24")],
  ],
  "Unix socket": [
    ["what waits in it, byte by byte", open("content of the socket of descriptor 25")],
    ["datagram by datagram", open("datagrams in the socket of descriptor 27")],
    ["see also above", peers],
  ],
  "TCP connection": [
    ["bytes sent and not acknowledged", inet("bytes sent and received of descriptor")],
    ["received and not read", inet("bytes sent and received of descriptor")],
  ],
  "UDP, raw, packet, netlink": [
    ["options", options],
    ["of netlink protocol", open("netlink")],
    ["port", open("netlink port of descriptor 42")],
    ["groups", open("netlink groups of descriptor 36")],
    ["whom it is connected to", open("netlink peer's port of descriptor 43")],
  ],
  terminal: [["see above; flags", descriptors("each flag that an open file keeps")]],
  namespace: [["that it is the one of the tasks in it", open("namespace of descriptor 31")]],
  "TUN, BPF maps, files of CRIU's plugins": [
    ["that they are open", descriptors("names that nobody can compare: only that it is open")],
  ],
};
