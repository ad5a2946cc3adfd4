/**
 * The errno of a line is what the last request left, and CRIU prints it also where none failed: a read that ended too early, a
 * number that is another than it should be. Such an errno is of something before, and says nothing of the line.
 */
import type { Errno } from "./errno.ts";

/** What reads and writes a file, pipe or socket that is open: CRIU prints the errno behind fewer bytes than asked for, too. */
export const transfers: readonly RegExp[] = [
  /^Can't read mapping page \d/,
  /^Read -?\d+ bytes while \d+ expected /,
  /^Can't write \d+ bytes/,
  /^Can't write BPF map's /,
  /^Can't send (?:PSI|ghost to image|the final package)/,
  /^The page server doesn't answer/,
  /^Unable to (?:send (?:response|reponse)|write ps_info|write into the status fd|write iptables config)/,
  /^Unable to (?:read packet data|get a current state|read from freezer FD)/,
  /^Can't read pagemap from socket/,
  /^Can't write (?:the fini command|pagemap|pages|pagehole|to page server|to socket)/,
  /^Can't read from (?:pipe|socket)/,
  /^(?:Splice failed|Failed write to pipe|Failed to write to tmpfile)/,
  /^(?:tee|splice): -?\d/,
  /^Failed to write IPC shared memory data/,
  /^Failed (?:sending|getting) restore finished indication/,
  /^Can't get shmem into page-pipe/,
  /^write AA policy /,
  /^(?:send|recv) re(?:q|sp) error/,
];
/** A text or number that CRIU cannot use, for which nothing was asked of the kernel. */
export const comparisons: readonly RegExp[] = [
  /^couldn't scanf /,
  /^err scanfing/,
  /^(?:\w+: )?error parsing \[/,
  /^Unable to parse: /,
  /^Failed to parse \/proc\/uptime/,
  /^Failed packing response/,
  /^Can't restore sid \(/,
  /^DRM render minor \d+ out of range/,
  /^Can't strrchr /,
];

/** What is answered where a name or a process is asked for, never to a read or write of what is open. */
const ofNames: ReadonlySet<string> = new Set([
  "ENOENT",
  "EEXIST",
  "ENOTDIR",
  "ENOTTY",
  "ESRCH",
  "ECHILD",
  "ENODATA",
  "EXDEV",
  "ELOOP",
  "ENOTEMPTY",
  "ENOSYS",
]);

/** Whether the errno behind a message cannot be of what the message is about. */
export function isStale(message: string, { name }: Errno): boolean {
  const bare = message.replace(/^(?:sk )?[a-z][\w-]*: /, "");
  const is = (pattern: RegExp) => pattern.test(bare) || pattern.test(message);
  return comparisons.some(is) || (ofNames.has(name) && transfers.some(is));
}
