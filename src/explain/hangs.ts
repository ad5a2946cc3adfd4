/** Where a log without an error ends: in a loop, or while CRIU looks at the kernel. */

/** Lines of a loop, and how often they have to stand there. */
const PERIOD = 3;
const TIMES = 3;
const stamp = /^\s*(?:>\s)?(?:\(?\d+\.\d+\)\s*|(?=pie: \d))/;

/** The lines that a log ends with again and again, without their times; undefined where it does not. */
export function loopIn(last: readonly string[]): string[] | undefined {
  const said = last
    .filter((text) => stamp.test(text))
    .map((text) => text.replace(stamp, "").trimEnd())
    .filter((text) => text !== "");
  for (let period = 1; period <= PERIOD; period += 1) {
    const round = said.slice(-period);
    const end = said.slice(-period * TIMES);
    if (end.length < period * TIMES) return undefined;
    if (end.every((text, at) => text === round[at % period])) return round;
  }
  return undefined;
}

/** CRIU reads a pages image that is too short at its end for ever. */
export const isReadingOn = (loop: readonly string[] | undefined): boolean =>
  loop?.some((text) => text.includes("Preadv ")) === true &&
  loop.some((text) => text.endsWith("returned 0"));

/** What CRIU says when it asks the kernel for what it can, before it looks at any task or image. */
const probes =
  /^(?:Pagemap (?:is fully functional|provides flags only|disabled)|PAGEMAP_SCAN is|Found (?:anon-shmem|hugetlb) device|Hugetlb size |Dirty track(?:ing)? support|Zero page detection failed|Found task size of |ipv6 is disabled|sockets: (?:Probing|Done probing)|File \S{1,80}criu\.kdat does not exist|The new mount API|Time namespaces are not|rseq syscall isn't|No (?:MOVE_MOUNT_SET_GROUP|openat2) |PR_SET_THP_DISABLE is not|close_range isn't|PR_TIMER_CREATE_RESTORE_IDS isn't)/;

export const isProbing = (ending: string): boolean => probes.test(ending.replace(stamp, ""));
