/** The cgroups that threads are in (cgroups(7)). */
import type { Facet } from "./facet.ts";

export const cgroups: Facet = {
  id: "cgroups",
  final: "state",
  moving: true,
  compare({ checkpoint, live, request }, { same }) {
    const sets = new Map(checkpoint.cgroup?.sets.map((set) => [set.id, set]) ?? []);
    const outside = checkpoint.inventory?.root_cg_set;
    const ignored = request.manageCgroups.value === "ignore" || request.cgroupRoot.length > 0;
    for (const { task, proc, threads } of live.tasks.values()) {
      for (const { tid, core } of task.threads) {
        const id = core?.thread_core?.cg_set ?? core?.tc?.cg_set;
        const now = threads.get(tid);
        const set = id === undefined || id === outside ? undefined : sets.get(id);
        if (set === undefined || now === undefined) continue;
        const found = placesOf(proc.read(`task/${now}/cgroup`) ?? "");
        for (const { name, path } of set.ctls) {
          const what = `${name === "" ? "cgroup2" : name} of thread ${tid}`;
          same(task.pid, what, path, found.get(name), ignored ? "expected" : undefined);
        }
      }
    }
  },
};

/** Controller, `name=…` or "" for cgroup2, to path: lines of /proc/PID/cgroup are `ID:CONTROLLERS:PATH`. */
function placesOf(text: string): Map<string, string> {
  const places = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, controllers, ...path] = line.split(":");
    for (const name of controllers?.split(",") ?? []) places.set(name, path.join(":"));
  }
  return places;
}
