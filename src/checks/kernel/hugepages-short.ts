import type { Infer } from "../../image/index.ts";
import { memfd_inode_entry } from "../../image/tables/files.ts";
import { MAP_HUGETLB, MAP_SHARED } from "../../sys/linux.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { raised } from "../settings.ts";
import { livingTasks } from "../paths.ts";
import { lengthOf, made, MAP_NORESERVE, meminfo, numberIn, refused, type Vma } from "./limits.ts";

/** The size of a huge page is in the flags from here on, as its logarithm; none means the default size. */
const HUGE_SHIFT = 26;

/** Pages of one size that a tree needs. */
interface Needed {
  pages: number;
  /** Of those the ones that memory files take, which CRIU makes before any mapping. */
  inFiles: number;
  file?: File;
  mapped?: { vma: Vma; task: number };
}

type File = Infer<typeof memfd_inode_entry>;

function neededOf({ checkpoint, host }: Context): Map<number, Needed> {
  const all = new Map<number, Needed>();
  const usual = meminfo(host, "Hugepagesize");
  const add = (flags: number, bytes: number, more: (sum: Needed, pages: number) => void) => {
    const shift = (flags >>> HUGE_SHIFT) & 63;
    const size = shift === 0 ? usual : 2 ** shift;
    if (size === 0) return;
    const pages = Math.ceil(bytes / size);
    const sum = all.get(size) ?? { pages: 0, inFiles: 0 };
    sum.pages += pages;
    more(sum, pages);
    all.set(size, sum);
  };
  for (const file of checkpoint.values("memfd.img", memfd_inode_entry))
    if (file.hugetlb_flag !== undefined)
      add(file.hugetlb_flag, Number(file.size), (sum, pages) => {
        sum.inFiles += pages;
        sum.file ??= file;
      });
  for (const task of livingTasks(checkpoint))
    for (const vma of made(task)) {
      // What is shared is in a file, and files on hugetlbfs have their pages already.
      if (!(vma.flags & MAP_HUGETLB) || vma.flags & (MAP_SHARED | MAP_NORESERVE)) continue;
      add(vma.flags, lengthOf(vma), (sum) => (sum.mapped ??= { vma, task: task.pid }));
    }
  return all;
}

export const hugepagesShort: Check = {
  title: "There are too few huge pages",
  reads: "mm-*.img (MAP_HUGETLB), memfd.img; /sys/kernel/mm/hugepages",
  why:
    "Huge pages are set aside by the administrator, and a mapping of them reserves all that it may need at once. Databases and virtual machines use them. " +
    "Shared ones are memory files for CRIU; before 3.18 it saves private ones as such files, too, which then need their pages twice.",
  proof: "criu",
  answers: ["host", "person"],
  run: (context) =>
    [...neededOf(context)]
      .values()
      .flatMap(([size, { pages, inFiles, file, mapped }]): Problem[] => {
        const { host } = context;
        const directory = `/sys/kernel/mm/hugepages/hugepages-${size / 1024}kB`;
        const count = (name: string) => numberIn(host, `${directory}/${name}`) ?? 0;
        const free = count("free_hugepages") - count("resv_hugepages");
        const more = Math.max(0, count("nr_overcommit_hugepages") - count("surplus_hugepages"));
        if (pages <= free + more) return [];
        const atFile = file !== undefined && (mapped === undefined || inFiles > free + more);
        return [
          {
            severity: "blocker",
            ...(atFile
              ? { image: "memfd.img", criu_message: refusedFile(file) }
              : {
                  task: mapped!.task,
                  image: `mm-${mapped!.task}.img`,
                  criu_message: refused(mapped!.vma, "ENOMEM"),
                }),
            subject: `${size / 1024} kB`,
            message: `the tree needs ${pages} huge pages of ${size / 1024} kB; ${free + more} can be had here`,
            remedy: raised(`${directory}/nr_hugepages`, {
              from: count("nr_hugepages"),
              to: count("nr_hugepages") + pages - free,
              stays: true,
              text: "set more huge pages aside",
            }),
          },
        ];
      }),
};

/** What CRIU says of a memory file that it cannot fill (shmem.c). */
const refusedFile = ({ shmid, size }: File): string =>
  `Can't mmap shmem 0x${shmid.toString(16)} size=${size}: Cannot allocate memory`;
