/** One thing that CRIU says, and what is known of it. Data, from the tables in `entries/`; `index.ts` finds the entry of a line. */

/** What CRIU was doing. */
export type Way = "dump" | "restore" | "check";

/** CRIU's words: its own format, `*` for a text that varies, `#` for a number, `<name>` and `<#name>` for one that is told. */
export interface Words {
  readonly text: string;
  /** Only with these errnos, where there are some; with any but these, where `not`. */
  readonly errnos: readonly string[];
  readonly not: boolean;
  /** What `<what>` in cause and remedy stands for. */
  readonly what: string | undefined;
}

/** A fault of some releases. */
export interface Mended {
  readonly from: string | undefined;
  /** The first release without it. */
  readonly fixed: string;
  /** Where the message stands in sources that have it. */
  readonly lines: ReadonlySet<number>;
}

export interface Entry {
  readonly says: readonly Words[];
  /** Sources of CRIU that say it: `criu/tun.c`; none for what others say. */
  readonly files: readonly string[];
  /** Of several entries with these words, whether it is this one: more than 0, the more the surer. */
  readonly guard: ((values: ReadonlyMap<string, string>) => number) | undefined;
  /** Only where a line of the log or paste has this; then before others with these words. */
  readonly beside: RegExp | undefined;
  /** It is a fault of CRIU's that is mended since: only where the version, or else the line of the source, is of one with it. */
  readonly mended: Mended | undefined;
  /** The check that names it beforehand; its page tells why; "" where none can. */
  readonly check: string;
  /** Other checks of which CRIU says the same. */
  readonly also: readonly string[];
  /** In this case; where it is "", the check's title says it. */
  readonly cause: string;
  /** What to do, as a command or option where there is one; "" where the errno decides. */
  readonly remedy: string;
  /** The row of known faults (`criu/known-faults.ts`) that tells versions and kernels. */
  readonly fault: string | undefined;
  /** Only when CRIU was doing that. */
  readonly way: Way | undefined;
  /** CRIU says well itself what is the matter. */
  readonly plain: boolean;
  /** A consequence of what was said before, where something was. */
  readonly trailer: boolean;
  /** A warning that matters. */
  readonly warning: boolean;
  /** A warning that tells nothing of what failed: told only where nothing else is. */
  readonly quiet: boolean;
  /** Others say it of what is no checkpoint, too: it is told only where something says that it is about one. */
  readonly common: boolean;
  /** Issues and pull requests, of checkpoint-restore/criu unless a repository is named. */
  readonly issues: readonly string[];
  /** Lines as the entry expects them, and some of real CRIUs from issues. test/explain/seen.tsv has those of tests here. */
  readonly like: readonly string[];
  readonly reported: readonly string[];
}
