import { MAP_HUGETLB, MAP_SHARED } from "../../sys/linux.ts";
import type { Check, Problem } from "../finding.ts";
import { raised } from "../settings.ts";
import { livingTasks } from "../paths.ts";
import { lengthOf, made, numberIn, refused, type Vma } from "./limits.ts";
import { MAP_NORESERVE, meminfo } from "./limits.ts";

/** The size of a huge page is in the flags from here on, as its logarithm; none means the default size. */
const MAP_HUGE_SHIFT = 26;

export const hugepagesShort: Check = {
  title: "There are too few huge pages",
  reads: "mm-*.img (MAP_HUGETLB); /sys/kernel/mm/hugepages",
  why: "Huge pages are set aside by the administrator, and a mapping of them reserves all that it may need at once. Databases and virtual machines use them.",
  proof: "criu",
  answers: ["host", "person"],
  run({ checkpoint, host }) {
    const needed = new Map<number, { pages: number; vma: Vma; task: number }>();
    const usual = meminfo(host, "Hugepagesize");
    for (const task of livingTasks(checkpoint))
      for (const vma of made(task)) {
        // Shared ones may be one and the same memory, and files on hugetlbfs have theirs already.
        if (!(vma.flags & MAP_HUGETLB) || vma.flags & (MAP_SHARED | MAP_NORESERVE)) continue;
        const shift = (vma.flags >>> MAP_HUGE_SHIFT) & 63;
        const size = shift === 0 ? usual : 2 ** shift;
        if (size === 0) continue;
        const sum = needed.get(size) ?? { pages: 0, vma, task: task.pid };
        sum.pages += Math.ceil(lengthOf(vma) / size);
        needed.set(size, sum);
      }
    return [...needed].values().flatMap(([size, { pages, vma, task }]): Problem[] => {
      const directory = `/sys/kernel/mm/hugepages/hugepages-${size / 1024}kB`;
      const count = (name: string) => numberIn(host, `${directory}/${name}`) ?? 0;
      const free = count("free_hugepages") - count("resv_hugepages");
      const more = Math.max(0, count("nr_overcommit_hugepages") - count("surplus_hugepages"));
      if (pages <= free + more) return [];
      const total = count("nr_hugepages") + pages - free;
      return [
        {
          severity: "blocker",
          task,
          image: `mm-${task}.img`,
          subject: `${size / 1024} kB`,
          message: `the tree needs ${pages} huge pages of ${size / 1024} kB; ${free + more} can be had here`,
          criu_message: refused(vma, "ENOMEM"),
          remedy: raised(`${directory}/nr_hugepages`, {
            from: count("nr_hugepages"),
            to: total,
            stays: true,
            text: "set more huge pages aside",
          }),
        },
      ];
    });
  },
};
