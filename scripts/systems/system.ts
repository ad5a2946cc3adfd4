/** A whole system that is booted, and what is tried in it: one file of scripts/systems/known each, whose name is its name. */
export interface System {
  /** As the table in docs/systems.md has it. */
  readonly about: string;
  /** Debian's, `FIRST:SECOND` as scripts/setup takes it. */
  readonly suite: string;
  readonly architecture: "amd64" | "arm64";
  /** Packages beyond what every system has. */
  readonly packages?: readonly string[];
  /** Debian's package, where it is not linux-image-ARCHITECTURE. */
  readonly kernel?: string;
  /** QEMU's name of the processor. */
  readonly cpu: string;
  /** systemd is its first process; otherwise a small script. */
  readonly systemd?: true;
  /** Files that `bun test` is given there, in this order. */
  readonly tests: readonly string[];
  /** The same, after it was rebooted, and every other system that was asked for has run its `tests`. */
  readonly afterwards: readonly string[];
}

/** What the tests call, or CRIU for them. */
export const packages: readonly string[] = (
  "criu base-files base-passwd bash bsdutils busybox-static coreutils dash diffutils e2fsprogs findutils grep gzip hostname " +
  "iproute2 iptables kmod libc-bin libcap2-bin login mawk mount nftables passwd perl-base procps python3-minimal sed strace " +
  "tar util-linux"
).split(" ");
