/** Who a thread is and what it may do (credentials(7), capabilities(7)). */
import { procFile } from "../host/processes.ts";
import type { Facet } from "./facet.ts";

export const credentials: Facet = {
  id: "credentials",
  final: "state",
  compare({ checkpoint, live }, { same }) {
    const kernel = knownCapabilities();
    const inventory = checkpoint.inventory?.root_ids?.user_ns_id;
    // /proc shows ids as the reader's user namespace maps them: another one's cannot be compared by number.
    const mapped = checkpoint.root?.ids?.user_ns_id !== inventory;
    for (const { task, threads, status: statusOf } of live.tasks.values()) {
      for (const { tid, core } of task.threads) {
        const creds = core?.thread_core?.creds;
        const now = threads.get(tid);
        if (creds === undefined || now === undefined || task.state === "dead") continue;
        const status = statusOf(now);
        const of = (what: string) => `${what} of thread ${tid}`;
        if (!mapped) {
          const { uid, euid, suid, fsuid, gid, egid, sgid, fsgid } = creds;
          same(
            task.pid,
            of("user ids"),
            [uid, euid, suid, fsuid].join(" "),
            words(status.get("Uid")),
          );
          same(
            task.pid,
            of("group ids"),
            [gid, egid, sgid, fsgid].join(" "),
            words(status.get("Gid")),
          );
          same(task.pid, of("groups"), sorted(creds.groups), words(status.get("Groups")));
        }
        const capabilities = [
          ["CapInh", creds.cap_inh],
          ["CapPrm", creds.cap_prm],
          ["CapEff", creds.cap_eff],
          ["CapBnd", creds.cap_bnd],
        ] as const;
        for (const [name, saved] of capabilities) {
          same(
            task.pid,
            of(name),
            hex(set(saved) & kernel),
            hex(hexSet(status.get(name)) & kernel),
          );
        }
        const privileges = creds.no_new_privs;
        if (privileges !== undefined)
          same(task.pid, of("no_new_privs"), privileges, status.get("NoNewPrivs"));
        const seccomp = core?.thread_core?.seccomp_mode;
        if (seccomp !== undefined)
          same(task.pid, of("seccomp mode"), seccomp, status.get("Seccomp"));
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
