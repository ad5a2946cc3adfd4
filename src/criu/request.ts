/** What was asked of `criu restore`, as plain data. */
export const cgroupModes = ["ignore", "none", "props", "soft", "full", "strict"] as const;
export type CgroupMode = (typeof cgroupModes)[number];

/** `--external KIND[KEY]:VALUE`, `--veth-pair`, `--ext-mount-map`. Of two with one key CRIU takes the last. */
export interface External {
  /** mnt, dev, veth, macvlan, netdev, net, pid, tty, file, unix … */
  readonly kind: string;
  readonly key: string;
  readonly value: string | undefined;
}

export interface InheritFd {
  readonly fd: number;
  /** `pipe:[1234]`, `tty[8800:5]`, `path/without/first/slash`, the key of an external net namespace … */
  readonly key: string;
}

export interface JoinNs {
  readonly ns: string;
  /** A pid or a file. */
  readonly target: string;
  readonly options: string | undefined;
}

/** Every path is absolute: it leads where CRIU would find it. */
export interface Request {
  readonly imagesDir: string;
  readonly workDir: string;
  /** The paths as they were typed, by what they are here: CRIU names them so. */
  readonly typed: ReadonlyMap<string, string>;
  readonly root: string | undefined;
  /** Undefined: CRIU logs to stderr. "-": to stdout. */
  readonly logFile: string | undefined;
  /** Each task logs to FILE.PID. */
  readonly logPerPid: boolean;
  readonly pidfile: string | undefined;
  readonly detached: boolean;
  readonly sibling: boolean;
  readonly leaveStopped: boolean;
  readonly shellJob: boolean;
  readonly tcpEstablished: boolean;
  readonly tcpClose: boolean;
  readonly extUnixSk: boolean;
  readonly fileLocks: boolean;
  readonly manageCgroups: { readonly value: CgroupMode; readonly explicit: boolean };
  /** New roots by controller; undefined is the one for all others. */
  readonly cgroupRoot: readonly CgroupRoot[];
  readonly cgroupYard: string | undefined;
  /** All of `--external`, `--veth-pair` and `--ext-mount-map`, in order. */
  readonly external: readonly External[];
  /** Those of `external` that came by `--ext-mount-map`. */
  readonly extMountMap: readonly { readonly key: string; readonly value: string }[];
  /** `--ext-mount-map auto` or `--external mnt[]`. */
  readonly autodetectExtMounts: boolean;
  readonly enableExternalSharing: boolean;
  readonly enableExternalMasters: boolean;
  readonly inheritFds: readonly InheritFd[];
  readonly joinNs: readonly JoinNs[];
  readonly emptyNs: readonly "net"[];
  /** CRIU runs the last one first. A name without a slash is looked for in PATH. */
  readonly actionScripts: readonly string[];
  readonly statusFd: number | undefined;
  /** Descriptors that CRIU has to find open under their numbers. */
  readonly fds: readonly number[];
  readonly execCmd: readonly string[] | undefined;
  readonly lsmProfile: string | undefined;
  readonly lsmMountContext: string | undefined;
  /** In what the CPU is compared with cpuinfo.img. Undefined: it is not compared. */
  readonly cpuCap: readonly ("cpu" | "fpu" | "ins")[] | undefined;
  readonly skipFileRwxCheck: boolean;
  readonly fileValidation: "buildid" | "filesize";
  readonly allowUprobes: boolean;
  readonly autoDedup: boolean;
  readonly deprecated: boolean;
  readonly displayStats: boolean;
  readonly lazyPages: boolean;
  readonly stream: boolean;
  readonly unprivileged: boolean;
  readonly weakSysctls: boolean;
  readonly mntnsCompatMode: boolean;
  /** Undefined: the directory that CRIU was built with. */
  readonly libdir: string | undefined;
  readonly verbosity: number;
  /** Seconds. CRIU itself only heeds it in a dump. */
  readonly timeout: number | undefined;
  /** Configuration files that were found and read. */
  readonly configFiles: readonly string[];
  /** Names of CRIU's options that the user gave, on the command line or in a configuration file. */
  readonly explicit: ReadonlySet<string>;
  /** The words for `criu restore`, unchanged, recriu's own options taken out. */
  readonly argv: readonly string[];
}

export interface CgroupRoot {
  readonly controller: string | undefined;
  readonly path: string;
}

/** What a field is while options are still being read. */
type Open<T> = T extends readonly (infer E)[] ? E[] : T;
export type Draft = { -readonly [K in Exclude<keyof Request, "typed">]: Open<Request[K]> };

/** CRIU's defaults (init_opts). */
export function emptyDraft(argv: readonly string[], configFiles: readonly string[]): Draft {
  return {
    imagesDir: ".",
    workDir: ".",
    root: undefined,
    logFile: undefined,
    logPerPid: false,
    pidfile: undefined,
    detached: false,
    sibling: false,
    leaveStopped: false,
    shellJob: false,
    tcpEstablished: false,
    tcpClose: false,
    extUnixSk: false,
    fileLocks: false,
    manageCgroups: { value: "soft", explicit: false },
    cgroupRoot: [],
    cgroupYard: undefined,
    external: [],
    extMountMap: [],
    autodetectExtMounts: false,
    enableExternalSharing: false,
    enableExternalMasters: false,
    inheritFds: [],
    joinNs: [],
    emptyNs: [],
    actionScripts: [],
    statusFd: undefined,
    fds: [],
    execCmd: undefined,
    lsmProfile: undefined,
    lsmMountContext: undefined,
    cpuCap: undefined,
    skipFileRwxCheck: false,
    fileValidation: "buildid",
    allowUprobes: false,
    autoDedup: false,
    deprecated: false,
    displayStats: false,
    lazyPages: false,
    stream: false,
    unprivileged: false,
    weakSysctls: false,
    mntnsCompatMode: false,
    libdir: undefined,
    verbosity: 2,
    timeout: undefined,
    configFiles: [...configFiles],
    explicit: new Set(),
    argv: [...argv],
  };
}
