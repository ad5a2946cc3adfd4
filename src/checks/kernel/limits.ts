/** Limits of the kernel and of the machine that a saved tree may be beyond: descriptors, mappings, memory. */
import type { Host } from "../../host/index.ts";
import { GUARD, UPROBES, VSYSCALL } from "../../image/flags.ts";
import type { Task } from "../../image/index.ts";

export type Vma = NonNullable<Task["mm"]>["vmas"][number];

/** Of forked tasks they are the same objects, which are looked at once. */
const madeVmas = new WeakMap<readonly Vma[], Vma[]>();

/** The mappings that CRIU makes again. */
export function made({ mm }: Task): readonly Vma[] {
  if (mm === undefined) return [];
  let vmas = madeVmas.get(mm.vmas);
  if (vmas === undefined) {
    vmas = mm.vmas.filter(({ status }) => (status & (VSYSCALL | GUARD | UPROBES)) === 0);
    madeVmas.set(mm.vmas, vmas);
  }
  return vmas;
}

export const lengthOf = ({ start, end }: Vma): number => Number(end - start);

export const mib = (bytes: number): string => `${Math.ceil(bytes / (1 << 20))} MiB`;

/** A file of one number; undefined when it is not there. */
export function numberIn(host: Host, path: string): number | undefined {
  const text = host.read(path)?.trim();
  return text === undefined || text === "" ? undefined : Number(text);
}

/** What the restorer says of a mapping that the kernel refuses (criu/pie/restorer.c), with -ENOMEM or -EPERM. */
export const refused = (vma: Vma, errno: "ENOMEM" | "EPERM"): string =>
  `Can't restore 0x${vma.start.toString(16)} mapping with 0xffffffffffffff${errno === "ENOMEM" ? "f4" : "ff"}`;

export const MAP_NORESERVE = 0x4000;

/** A field of /proc/meminfo in bytes. */
export function meminfo(host: Host, field: string): number {
  const found = new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(host.read("/proc/meminfo") ?? "");
  return found === null ? 0 : Number(found[1]) * 1024;
}
