/** What a machine has of what programs get used to: what `recriu seal` writes down, and what is here. Nothing is loaded to ask. */
import { upward } from "../../host/upward.ts";
import type { Host } from "../../host/index.ts";
import type { Gpu, Machine } from "../../image/index.ts";
import { directoryOf, ignored, members } from "../cgroups/cgroup-tree.ts";
import type { Context } from "../finding.ts";
import { meminfo } from "./limits.ts";

export function machineOf(context: Context): Machine {
  const { host, checkpoint } = context;
  const processors = processorsOf(host);
  const memory = meminfo(host, "MemTotal");
  const lsm = lsmOf(host);
  const [memoryLimit, processorLimit] = [memoryLimitOf(context), processorLimitOf(context)];
  return {
    page_size: checkpoint.pageSize,
    ...(processors !== undefined && { processors }),
    ...(memory > 0 && { memory }),
    limits: {
      ...(memoryLimit !== undefined && { memory: memoryLimit }),
      ...(processorLimit !== undefined && { processors: processorLimit }),
    },
    ...(lsm && { lsm }),
    gpus: gpusOf(host),
  };
}

/** Those that are online: a list as `0-3,8`. */
export function processorsOf(host: Host): number | undefined {
  const online = host.read("/sys/devices/system/cpu/online")?.trim();
  if (online === undefined || !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(online)) return undefined;
  const ranges = online.split(",").map((range) => range.split("-").map(Number));
  return ranges.reduce((sum, [from, to = from]) => sum + to! - from! + 1, 0);
}

/** Security modules that run; undefined where securityfs is not mounted. */
export const lsmOf = (host: Host): string[] | undefined =>
  host.read("/sys/kernel/security/lsm")?.trim().split(",");

/** Bytes that the cgroups allow in which the tree is, or will be, and those above them: cgroups(7). */
export const memoryLimitOf = (context: Context): number | undefined =>
  least([
    ...valuesIn(context, "memory", (read) => amount(read("memory.limit_in_bytes"))),
    ...valuesIn(context, "", (read) => amount(read("memory.max"))),
  ]);

/** Processors, likewise. */
export const processorLimitOf = (context: Context): number | undefined =>
  least([
    ...valuesIn(context, "cpu", (read) =>
      quota([read("cpu.cfs_quota_us"), read("cpu.cfs_period_us")]),
    ),
    ...valuesIn(context, "", (read) => quota((read("cpu.max") ?? "").split(" "))),
  ]);

function quota([time, period]: readonly (string | undefined)[]): number | undefined {
  const [most, of] = [amount(time), amount(period)];
  return most && of && most / of;
}

/** A positive number; `max`, -1 and what v1 has for no limit are none. */
function amount(text: string | undefined): number | undefined {
  const number = /^\d+\s*$/.test(text ?? "") ? Number(text) : 0;
  return number > 0 && number < 2 ** 62 ? number : undefined;
}

const least = (found: readonly number[]): number | undefined =>
  found.length === 0 ? undefined : Math.min(...found);

/** `of` each cgroup with this controller ("" for cgroup2) that counts for the tree. */
function valuesIn(
  context: Context,
  controller: string,
  of: (read: (file: string) => string | undefined) => number | undefined,
): number[] {
  const { host } = context;
  const values: number[] = [];
  const seen = new Set<string>();
  for (const directory of cgroupsOf(context, controller))
    for (const at of upward(directory)) {
      // What is above was met then, too.
      if (seen.has(at)) break;
      seen.add(at);
      const value = of((file) => host.read(`${at}/${file}`));
      if (value !== undefined) values.push(value);
    }
  return values;
}

/** Where tasks are moved to; those that are not moved stay where CRIU is. */
function cgroupsOf(context: Context, controller: string): string[] {
  const moved = ignored(context)
    ? []
    : members(context).filter(({ controllers }) => controllers.includes(controller));
  if (moved.length > 0)
    return moved.flatMap(({ controllers, path }) => directoryOf(context, controllers, path) ?? []);
  const own = new RegExp(`^\\d+:(?:[^:\\n]*,)?${controller}(?:,[^:\\n]*)?:(.*)$`, "m");
  const path = own.exec(context.host.read("/proc/self/cgroup") ?? "")?.[1];
  return path === undefined ? [] : [directoryOf(context, [controller], path) ?? []].flat();
}

const NVIDIA = "/proc/driver/nvidia";
const AMD = "/sys/class/kfd/kfd/topology/nodes";

/** GPUs that the plugins of CRIU know: those of NVIDIA's driver, and of amdgpu by kfd. */
export function gpusOf(host: Host): Gpu[] {
  const root = host.root("/");
  if (!root.ok) return [];
  const read = (path: string) => host.read(path)?.trim();
  const nvidia = root.root.list(`${NVIDIA}/gpus`).flatMap((bus): Gpu[] => {
    const text = read(`${NVIDIA}/gpus/${bus}/information`) ?? "";
    const model = /^Model:\s*(.*)$/m.exec(text)?.[1];
    const driver = /^NVRM version:.*?(\d+(?:\.\d+)+)/m.exec(read(`${NVIDIA}/version`) ?? "")?.[1];
    return model === undefined ? [] : [{ model, driver: driver ?? null }];
  });
  const amd = root.root.list(AMD).flatMap((node): Gpu[] => {
    // A node of the topology that is a processor has no gpu_id.
    const id = read(`${AMD}/${node}/gpu_id`);
    const model = read(`${AMD}/${node}/name`);
    const driver = read("/sys/module/amdgpu/version") ?? null;
    return id === undefined || id === "0" || !model ? [] : [{ model, driver }];
  });
  return [...nvidia, ...amd];
}
