/** What waits in pipes, FIFOs and Unix sockets, byte by byte; and which descriptors are ends of one pipe. */
import { pipe_data_entry } from "../../image/tables/files.ts";
import type { Checkpoint } from "../../image/index.ts";
import { O_ACCMODE, SOCK_STREAM } from "../../sys/linux.ts";
import { pipeContent, pipeSize, socketContent, waiting } from "../../sys/open-files.ts";
import type { Compare, OpenFile } from "./file.ts";
import { compareSenders } from "./senders.ts";

const O_WRONLY = 1;
const MOVES = "what waits in pipes and sockets, as the tree runs";

export const pipe: Compare<"pipe"> = ({ pipe_id, flags, uid, gid }, file) => {
  comparePipe("pipes-data.img", "pipe", pipe_id, flags, file);
  file.sameOwner("pipe", { uid, gid });
};

export const fifo: Compare<"fifo"> = ({ id, pipe_id, regf_id }, file) => {
  const reg = file.subject.checkpoint.openFiles.get(regf_id ?? id)?.reg;
  comparePipe("fifo-data.img", "FIFO", pipe_id, reg?.flags ?? O_WRONLY, file);
};

function comparePipe(image: string, kind: string, id: number, flags: number, file: OpenFile): void {
  const { checkpoint, live } = file.subject;
  const now = file.proc.link(`fd/${file.fd}`);
  // One pipe is one again, and two are two; which FIFO it is, its name says.
  if (kind === "pipe") {
    file.same("pipe", file.seen.met(`pipe ${id}`, now) ?? "open", now);
    file.same("other ends of the pipe", id, file.seen.met(`at ${now}`, String(id)));
  }
  // Of its readers the first is asked; a pipe that the tree only writes to was not saved.
  if ((flags & O_ACCMODE) === O_WRONLY || !file.seen.first(`content of ${kind} ${id}`)) return;
  const entries = checkpoint.values(image, pipe_data_entry);
  const at = entries.findIndex(({ pipe_id }) => pipe_id === id);
  if (at < 0) return;
  if (!live.stopped) return file.leftOut(MOVES);
  const { bytes, size } = entries[at]!;
  file.through((copy) => {
    const room = pipeSize(copy);
    if (size !== undefined) file.same(`room of the ${kind}`, size, room);
    file.same(`bytes in the ${kind}`, bytes, waiting(copy));
    if (bytes === 0) return;
    const content = pipeContent(copy, room ?? bytes);
    const saved = contentOf(checkpoint, image, [at])[0];
    if (content === undefined || saved === undefined) file.leftOut("contents that cannot be read");
    else compareBytes(`content of the ${kind}`, saved, content, file);
  });
}

/** Only Unix sockets: what was sent over others is not saved, but of TCP: inet.ts compares its lengths. */
export const unixQueue: Compare<"usk"> = ({ id, type }, file) => {
  const { checkpoint, live } = file.subject;
  const packets = packetsFor(checkpoint, id);
  if (!live.stopped) return file.leftOut(MOVES);
  file.through((copy) => {
    if (packets.length === 0) {
      const now = waiting(copy);
      // One that listens has no queue of bytes.
      if (now !== undefined) file.same("bytes in the socket", 0, now);
      return;
    }
    const saved = contentOf(checkpoint, "sk-queues.img", packets);
    const most = saved.reduce((sum, { length }) => sum + length, 0);
    const content = socketContent(copy, most);
    if (content === undefined) return file.leftOut("contents that cannot be read");
    const now = content.map(({ bytes }) => bytes);
    if (type === SOCK_STREAM)
      compareBytes("content of the socket", Buffer.concat(saved), Buffer.concat(now), file);
    else {
      file.same("datagrams in the socket", saved.length, now.length);
      if (saved.length !== now.length) return;
      for (const [index, bytes] of saved.entries())
        compareBytes(`datagram ${index}`, bytes, now[index] ?? Buffer.alloc(0), file);
    }
    compareSenders(
      packets.map((at) => checkpoint.socketQueues[at]!),
      content,
      file,
    );
  });
};

/** By socket: the places of its packets in sk-queues.img. */
const queues = new WeakMap<Checkpoint, Map<number, number[]>>();

function packetsFor(checkpoint: Checkpoint, id: number): readonly number[] {
  let places = queues.get(checkpoint);
  if (places === undefined) {
    places = new Map();
    for (const [at, { id_for }] of checkpoint.socketQueues.entries())
      places.set(id_for, [...(places.get(id_for) ?? []), at]);
    queues.set(checkpoint, places);
  }
  return places.get(id) ?? [];
}

const contentOf = (
  checkpoint: Checkpoint,
  image: string,
  entries: readonly number[],
): Uint8Array[] =>
  checkpoint.useData(image, (data) => entries.map((entry) => Uint8Array.from(data(entry)))) ?? [];

/** Contents are not printed: they are the program's secrets. */
function compareBytes(what: string, saved: Uint8Array, now: Uint8Array, file: OpenFile): void {
  const length = `${saved.length} bytes`;
  const differs = saved.findIndex((byte, at) => byte !== now[at]);
  const found =
    saved.length !== now.length
      ? `${now.length} bytes`
      : differs < 0
        ? length
        : `others from byte ${differs} on`;
  file.same(what, length, found);
}
