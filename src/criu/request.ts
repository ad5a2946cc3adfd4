/** What was asked of `criu restore`, as plain data. */
import type { ParsedOption } from "./getopt.ts";
import { byName } from "./option-names.ts";
import { criuOptions, type Switch, type Text } from "./options.ts";
import type { CgroupMode } from "./values.ts";

/** `--external KIND[KEY]:VALUE`, `--veth-pair`, `--ext-mount-map`. Of two with one key CRIU takes the last. */
export interface External {
  /** mnt, dev, veth, macvlan, netdev, net, pid, tty, file, unix … */
  readonly kind: string;
  readonly key: string;
  readonly value: string | undefined;
}

interface InheritFd {
  readonly fd: number;
  /** `pipe:[1234]`, `tty[8800:5]`, `path/without/first/slash`, the key of an external net namespace … */
  readonly key: string;
}

interface JoinNs {
  readonly ns: string;
  /** A pid or a file. */
  readonly target: string;
  readonly options: string | undefined;
}

interface CgroupRoot {
  readonly controller: string | undefined;
  readonly path: string;
}

/** What is not one switch or one text: the values of options understood (values.ts). */
interface Understood {
  readonly imagesDir: string;
  readonly workDir: string;
  readonly leaveStopped: boolean;
  readonly extUnixSk: boolean;
  readonly manageCgroups: { readonly value: CgroupMode; readonly explicit: boolean };
  /** New roots by controller; undefined is the one for all others. */
  readonly cgroupRoot: readonly CgroupRoot[];
  /** All of `--external`, `--veth-pair` and `--ext-mount-map`, in order. */
  readonly external: readonly External[];
  /** `--ext-mount-map auto` or `--external mnt[]`. */
  readonly autodetectExtMounts: boolean;
  readonly inheritFds: readonly InheritFd[];
  readonly joinNs: readonly JoinNs[];
  readonly emptyNs: readonly "net"[];
  /** CRIU runs the last one first. A name without a slash is looked for in PATH. */
  readonly actionScripts: readonly string[];
  /** Descriptors that CRIU has to find open under their numbers. */
  readonly fds: readonly number[];
  readonly execCmd: readonly string[] | undefined;
  /** In what the CPU is compared with cpuinfo.img. Undefined: it is not compared. */
  readonly cpuCap: readonly ("cpu" | "fpu" | "ins")[] | undefined;
  readonly fileValidation: "buildid" | "filesize";
  /** Seconds. CRIU itself only heeds it in a dump. */
  readonly timeoutSeconds: number | undefined;
  /** Configuration files that were found and read. */
  readonly configFiles: readonly string[];
  /** Names of CRIU's options that the user gave, on the command line or in a configuration file. */
  readonly explicit: ReadonlySet<string>;
  /** Those of them that recriu does not know, and the CRIU that was found does: `--name`; of a runtime's request its fields. */
  readonly beyond: readonly string[];
  /** The words for `criu restore`, unchanged, recriu's own options taken out. */
  readonly argv: readonly string[];
}

/** Each option that is one switch or one text, under the name of its field in options.ts. Every path is absolute: it leads where CRIU would find it. */
export interface Request
  extends
    Understood,
    Readonly<Record<Switch, boolean>>,
    Readonly<Record<Text, string | undefined>> {
  /** The paths as they were typed, by what they are here: CRIU names them so. */
  readonly typed: ReadonlyMap<string, string>;
  /** The words that call the same restore again, where those of `argv` do not: the images were unpacked from a pack. */
  readonly again?: readonly string[];
}

/** What a field is while options are still being read. */
type Open<T> = T extends readonly (infer E)[] ? E[] : T;
export type Parts = { -readonly [K in keyof Understood]: Open<Understood[K]> };
export type Draft = Parts & Record<Switch, boolean> & Record<Text, string | undefined>;

/** CRIU's defaults (init_opts). */
export function emptyDraft(argv: readonly string[], configFiles: readonly string[]): Draft {
  const parts: Parts = {
    imagesDir: ".",
    workDir: ".",
    leaveStopped: false,
    extUnixSk: false,
    manageCgroups: { value: "soft", explicit: false },
    cgroupRoot: [],
    external: [],
    autodetectExtMounts: false,
    inheritFds: [],
    joinNs: [],
    emptyNs: [],
    actionScripts: [],
    fds: [],
    execCmd: undefined,
    cpuCap: undefined,
    fileValidation: "buildid",
    timeoutSeconds: undefined,
    configFiles: [...configFiles],
    explicit: new Set(),
    beyond: [],
    argv: [...argv],
  };
  const simple = criuOptions.flatMap(({ turns, sets }) => [
    ...(turns === undefined ? [] : [[turns, false] as const]),
    ...(sets === undefined ? [] : [[sets, undefined] as const]),
  ]);
  return {
    ...(Object.fromEntries(simple) as Record<Switch, false> & Record<Text, undefined>),
    ...parts,
  };
}

/** Do to the draft what an option says; or why CRIU refuses its value. */
export function applyOption(draft: Draft, option: ParsedOption): string | undefined {
  const { turns, sets, apply } = byName(option.name)!;
  if (turns !== undefined) draft[turns as Switch] = !option.negated;
  if (sets !== undefined) draft[sets as Text] = option.value ?? "";
  return apply?.(draft, option.value ?? "", option);
}
