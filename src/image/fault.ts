/** Why an image could not be read. A value: bad images are normal. */
export interface Fault {
  file: string;
  /** Where in the file, in bytes. */
  offset: number | undefined;
  /** absent: not there, and CRIU goes on without what would be in it. missing: it cannot. */
  kind: "missing" | "absent" | "unreadable" | "truncated" | "magic" | "malformed";
  problem: string;
  /** What CRIU would print; null where it prints nothing of its own. */
  criu_message: string | null;
}
