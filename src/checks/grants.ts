/** What a container's configuration grants its processes at most, as plain data (OCI runtime-spec, config.md, config-linux.md). */

/** Capabilities as sets of bits. A set that the configuration does not name is empty: runc and crun give none then. */
export interface GrantedCapabilities {
  readonly bounding: bigint;
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly ambient: bigint;
}

/** Ids of this machine, `count` of them from `first` on. */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

export interface Grants {
  /** Kinds of namespaces that are not this machine's, by the names of /proc/PID/ns, and the one to join where that is named. */
  readonly namespaces: readonly { readonly kind: string; readonly path: string | undefined }[];
  readonly capabilities: GrantedCapabilities;
  readonly noNewPrivileges: boolean;
  /** A seccomp filter that refuses something. */
  readonly seccomp: boolean;
  /** The AppArmor profile and the SELinux label; undefined: none is asked for. */
  readonly labels: Readonly<Record<"AppArmor" | "SELinux", string | undefined>>;
  /** What the user namespace maps to; undefined: the configuration maps nothing. */
  readonly users: readonly IdRange[] | undefined;
  readonly groups: readonly IdRange[] | undefined;
  readonly readonlyRoot: boolean;
}
