/** What an epoll watches (epoll_ctl(2)): descriptor numbers, events and the program's own data; and that it is that file. */
import { watchesFile } from "../../sys/process.ts";
import { type Compare, hex, type OpenFile } from "./file.ts";

/** The kernel adds them to every watch that is made; a one-shot watch that has fired is without them until it is set again. */
const EPOLLERR_EPOLLHUP = 0x18;

const row = /^tfd:\s*(\d+) events:\s*([0-9a-f]+) data:\s*([0-9a-f]+)/gm;

interface Target {
  tfd: number;
  events: number;
  data: bigint;
  /** Two files can be watched under one number: which of them it is, in the kernel's order. */
  nth: number;
}

function targetsOf(fdinfo: string): Target[] {
  const seen = new Map<number, number>();
  return [...fdinfo.matchAll(row)].map(([, number, events, data]) => {
    const tfd = Number(number);
    const nth = seen.get(tfd) ?? 0;
    seen.set(tfd, nth + 1);
    return { tfd, events: Number.parseInt(events!, 16), data: BigInt(`0x${data}`), nth };
  });
}

const shown = ({ events, data }: { events: number; data: bigint }): string =>
  `events ${hex(events)}, data ${hex(data)}`;

export const epoll: Compare<"epfd"> = (saved, file) => {
  const now = targetsOf(file.fdinfo);
  for (const target of saved.tfd) {
    const { tfd, events, data } = target;
    const same = now.filter((each) => each.tfd === tfd);
    const found = same.find((each) => each.data === data) ?? same[0];
    if (found !== undefined) now.splice(now.indexOf(found), 1);
    const added = found !== undefined && found.events === (events | EPOLLERR_EPOLLHUP);
    const unequal = added ? "tolerated" : undefined;
    file.same(`watch of ${tfd}`, shown(target), found && shown(found), unequal);
    if (found !== undefined) compareTarget(saved.id, found, file);
  }
  for (const { tfd } of now) file.same("a watch that was not saved", "none", tfd);
};

/** The number is one of the task that CRIU saved the epoll from: the first that has it, in the order of the images. */
function compareTarget(id: number, { tfd, nth }: Target, file: OpenFile): void {
  const { checkpoint, live } = file.subject;
  if (!live.stopped) return;
  const from = checkpoint.tasks.find(({ fds }) => fds.some((each) => each.id === id));
  const task = from && live.tasks.get(from.pid);
  const isOpen = from?.fds.some(({ fd }) => fd === tfd);
  const same =
    task && isOpen ? watchesFile(task.pid, tfd, file.pid, { epoll: file.fd, tfd, nth }) : undefined;
  if (same === undefined) file.leftOut("targets that the kernel does not tell apart (kcmp)");
  else {
    const what = `descriptor ${tfd} of task ${from!.pid}`;
    file.same(`target of watch ${tfd}`, what, same ? what : "another file");
  }
}
