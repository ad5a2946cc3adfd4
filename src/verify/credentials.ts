/**
 * A thread's ids and rights (credentials(7), capabilities(7)). A program that runs may have given up what it had;
 * more than it had it cannot have got by itself.
 */
import { procFile } from "../host/processes.ts";
import { type Facet, ownUsers } from "./facet.ts";

const CAP_SETGID = 1n << 6n;
const CAP_SETUID = 1n << 7n;

export const credentials: Facet = {
  id: "credentials",
  final: "state",
  compare({ checkpoint, live }, { same, leftOut }) {
    const kernel = knownCapabilities();
    // /proc shows ids as the reader's user namespace maps them: another one's cannot be compared by number.
    const mapped = !ownUsers(checkpoint);
    for (const { task, threads, status: statusOf } of live.tasks.values()) {
      for (const { tid, core } of task.threads) {
        const creds = core?.thread_core?.creds;
        const now = threads.get(tid);
        if (creds === undefined || now === undefined || task.state === "dead") continue;
        const status = statusOf(now);
        const owned = set(creds.cap_prm);
        // What a program may do to itself: with the capability anything, without it only give up.
        const since = (may: boolean) => (live.stopped ? undefined : may ? "changed" : "fatal");
        const able = (capability: bigint) => since((owned & capability) !== 0n);
        const of = (what: string) => `${what} of thread ${tid}`;
        if (mapped) leftOut("ids in another user namespace", 3);
        else {
          const { uid, euid, suid, fsuid, gid, egid, sgid, fsgid } = creds;
          same(
            task.pid,
            of("user ids"),
            [uid, euid, suid, fsuid].join(" "),
            words(status.get("Uid")),
            able(CAP_SETUID),
          );
          same(
            task.pid,
            of("group ids"),
            [gid, egid, sgid, fsgid].join(" "),
            words(status.get("Gid")),
            able(CAP_SETGID),
          );
          same(
            task.pid,
            of("groups"),
            sorted(creds.groups),
            words(status.get("Groups")),
            able(CAP_SETGID),
          );
        }
        const capabilities = [
          ["CapInh", creds.cap_inh],
          ["CapPrm", creds.cap_prm],
          ["CapEff", creds.cap_eff],
          ["CapBnd", creds.cap_bnd],
        ] as const;
        for (const [name, saved] of capabilities) {
          const [before, found] = [set(saved) & kernel, hexSet(status.get(name)) & kernel];
          // What is effective or inherited goes up and down within what is permitted.
          const had = before | (name === "CapBnd" ? 0n : owned);
          same(task.pid, of(name), hex(before), hex(found), since((found & ~had) === 0n));
        }
        const privileges = creds.no_new_privs;
        if (privileges !== undefined)
          same(
            task.pid,
            of("no_new_privs"),
            privileges,
            status.get("NoNewPrivs"),
            since(privileges === 0),
          );
        const seccomp = core?.thread_core?.seccomp_mode;
        if (seccomp !== undefined)
          same(task.pid, of("seccomp mode"), seccomp, status.get("Seccomp"), since(seccomp === 0));
      }
    }
  },
};

/** /proc separates by tabs and ends lists with a blank. */
const words = (text: string | undefined): string | undefined => text?.split(/\s+/).join(" ").trim();

const sorted = (numbers: readonly number[]): string => numbers.toSorted((a, b) => a - b).join(" ");

/** Two words of 32 bits, the low one first. */
const set = ([low = 0, high = 0]: readonly number[]): bigint => (BigInt(high) << 32n) | BigInt(low);

const hexSet = (text: string | undefined): bigint => BigInt(`0x${text ?? "0"}`);

const hex = (bits: bigint): string => `0x${bits.toString(16)}`;

/** Bits above the last capability of this kernel cannot be set. */
function knownCapabilities(): bigint {
  const last = Number(procFile("sys", "kernel/cap_last_cap") ?? 40);
  return (1n << BigInt(last + 1)) - 1n;
}
