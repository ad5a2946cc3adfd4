/** The capabilities and ids that the tasks had, and whether CRIU may give them (pie/restorer.c, restore_creds). */
import type { Host } from "../../host/index.ts";
import type { Checkpoint, Thread } from "../../image/index.ts";
import type { Infer } from "../../image/schema.ts";
import type { creds_entry } from "../../image/tables/process.ts";
import type { Context } from "../finding.ts";
import { livingTasks } from "../paths.ts";

export type Creds = Infer<typeof creds_entry>;

export const CAP_SETGID = 6;

export const CAP_SETUID = 7;

export const CAP_SETPCAP = 8;

export const CAP_SYS_NICE = 23;

export const CAP_SYS_RESOURCE = 24;

export const CAP_AUDIT_CONTROL = 30;

/** linux/capability.h, by number. */
const names =
  "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore".split(
    " ",
  );

/** The number of `CAP_NET_RAW`, as runtimes write it; undefined: none that is known here. */
export function capabilityNumber(name: string): number | undefined {
  const number = names.indexOf(name.toLowerCase().replace(/^cap_/, ""));
  return number < 0 ? undefined : number;
}

/** `cap_net_raw` for 13. */
export const capabilityName = (number: number): string => `cap_${names[number] ?? number}`;

export const has = (set: bigint, number: number): boolean => ((set >> BigInt(number)) & 1n) !== 0n;

/** The numbers in a set. */
export function numbersOf(set: bigint): number[] {
  const numbers: number[] = [];
  for (let i = 0; i < 64; i++) if (has(set, i)) numbers.push(i);
  return numbers;
}

/** A set of the images: words of 32 bits. */
export const setOf = (words: readonly number[] | undefined): bigint =>
  (words ?? []).slice(0, 2).reduce((set, word, i) => set | (BigInt(word) << BigInt(32 * i)), 0n);

/** A field of this process's status by its name, as a set of capabilities. */
function statusSet(status: string, field: string): bigint {
  const value = new RegExp(`^${field}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1];
  return value === undefined ? 0n : BigInt(`0x${value}`);
}

/**
 * The most that CRIU can have here, and what its bounding set will be: root gets by execve(2) what the bounding set
 * allows, others what they have (capabilities(7)). Undefined for others than root: their criu may have file capabilities.
 */
export function capabilitiesOfCriu(
  host: Host,
): { permitted: bigint; bounding: bigint } | undefined {
  const status = host.read("/proc/self/status");
  if (status === undefined || host.effectiveUid !== 0) return undefined;
  const bounding = statusSet(status, "CapBnd");
  const permitted = statusSet(status, "CapPrm");
  return { permitted: permitted | bounding | statusSet(status, "CapInh"), bounding };
}

/** Real, effective, saved and file system ids of this process, which CRIU has too; and its groups. */
export function idsOfCriu(host: Host): { users: number[]; groups: number[]; extra: number[] } {
  const status = host.read("/proc/self/status") ?? "";
  const numbers = (field: string) =>
    (new RegExp(`^${field}:(.*)$`, "m").exec(status)?.[1]?.match(/\d+/g) ?? []).map(Number);
  return { users: numbers("Uid"), groups: numbers("Gid"), extra: numbers("Groups") };
}

/** So many groups CRIU has room for to compare. */
const MOST_COMPARED = 128;

/** Whether CRIU sets the groups of a task: it never does where there are none, nor from 3.19 on where it has the same (`isCompared`). */
export const setsGroups = (
  { groups }: Creds,
  own: readonly number[],
  isCompared: boolean,
): boolean =>
  groups.length > 0 && !(isCompared && own.length <= MOST_COMPARED && groups.join() === own.join());

/** What CRIU says where it may not set the groups; `isCompared`: from 3.19 on. */
export const groupsWords = ({ groups }: Creds, isCompared: boolean): string =>
  isCompared ? `Can't setgroups([${groups.length} gids])` : "Can't setup supplementary group IDs";

/** Every capability that this kernel knows. */
export function knownCapabilities(host: Host): bigint {
  const last = Number(host.read("/proc/sys/kernel/cap_last_cap") ?? 40);
  return (1n << BigInt(last + 1)) - 1n;
}

/**
 * Threads with credentials; of those that have the same object, as forked tasks have, the first: what is wrong with one is
 * wrong with all.
 */
export function threadsWithCreds(
  checkpoint: Checkpoint,
): { task: number; thread: Thread; creds: Creds }[] {
  const seen = new Set<Creds>();
  return livingTasks(checkpoint).flatMap((task) =>
    task.threads.flatMap((thread) => {
      const creds = thread.core?.thread_core?.creds;
      if (creds === undefined || seen.has(creds)) return [];
      seen.add(creds);
      return [{ task: task.pid, thread, creds }];
    }),
  );
}

/** The tree gets a user namespace in which CRIU has every capability, and ids that its images map. */
export const otherUsers = ({ namespaces, request }: Context): boolean =>
  namespaces.created.user || request.joinNs.some(({ ns }) => ns === "user");

/** True where CRIU certainly has no such capability; a task in a user namespace of its own has none over the machine. */
export function lacks({ host, namespaces }: Context, capability: number): boolean {
  if (namespaces.created.user) return true;
  const criuHas = capabilitiesOfCriu(host);
  return criuHas !== undefined && !has(criuHas.permitted, capability);
}
