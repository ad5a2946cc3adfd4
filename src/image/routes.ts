/**
 * The routes of a network as `ip route save` wrote them (route-*.img, route6-*.img): its magic, then the kernel's messages,
 * which it is handed again as they are. rtnetlink(7)
 */
import { AF_INET } from "../sys/linux.ts";
import { attributesOf } from "../sys/sockets.ts";
import type { FieldEdit } from "./edit.ts";
import type { Source } from "./frame.ts";

const MAGIC = 0x45311224;
const RTM_NEWROUTE = 24;
/** struct nlmsghdr; struct rtmsg behind it, and where its flags are; struct rtnexthop. */
const HEADER = 16;
const RTMSG = 12;
const RTM_FLAGS = HEADER + 8;
const RTNEXTHOP = 8;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_MULTIPATH = 9;
/** RTNH_F_DEAD, RTNH_F_LINKDOWN. */
const DOWN = 1 | 16;

/** Longer messages than this the kernel does not write, nor does `ip` read them. */
const LONGEST = 64 << 10;
/** A larger image is an attack on our memory. */
const LARGEST = 64 << 20;

/** Marks of the kernel's, on a route or on one of its ways, that the link was down; `at` is where in the image, so many bytes. */
export interface DownMarks {
  /** Of the message: as a FieldEdit has them. */
  entry: number;
  field: string;
  flags: number;
  /** `flags` without the marks. */
  rest: number;
  /** `10.8.0.0/24`; `default`. */
  destination: string;
  /** The number of the device. */
  device: number | undefined;
  at: number;
  size: 1 | 4;
}

export const isRoutes = (file: string): boolean => /^route6?-\d+\.img$/.test(file);

/** The marks on IPv4 routes, so many at most: those of IPv6 the kernel passes over. */
export const downMarks = (source: Source, most: number): DownMarks[] => [
  ...allMarks(source).take(most),
];

/** The bytes of the image after the edits, which are of such marks; or the field that is not as they were made for. */
export function editedRoutes(
  source: Source,
  edits: readonly FieldEdit[],
): { ok: true; bytes: Uint8Array } | { ok: false; problem: string } {
  const key = (entry: number, field: string) => `${entry} ${field}`;
  const left = new Map(edits.map((edit) => [key(edit.entry, edit.field), edit]));
  const bytes = Buffer.from(source.read(0, source.size));
  for (const { entry, field, flags, at, size } of allMarks(source)) {
    const edit = left.get(key(entry, field));
    if (edit?.from !== flags || typeof edit.to !== "number") continue;
    bytes.writeUIntLE(edit.to, at, size);
    left.delete(key(entry, field));
  }
  const [missed] = left.values();
  return missed === undefined
    ? { ok: true, bytes }
    : { ok: false, problem: `${missed.field} is no longer ${missed.from}` };
}

function* allMarks(source: Source): Generator<DownMarks> {
  if (source.size > LARGEST) return;
  const word = Buffer.from(source.read(0, 4));
  if (word.length < 4 || word.readUInt32LE(0) !== MAGIC) return;
  let at = 4;
  for (let entry = 0; at + HEADER <= source.size; entry += 1) {
    const length = Buffer.from(source.read(at, HEADER)).readUInt32LE(0);
    if (length < HEADER || length > LONGEST || at + length > source.size) return;
    yield* marksIn(Buffer.from(source.read(at, length)), at, entry);
    at += aligned(length);
  }
}

function* marksIn(message: Buffer, start: number, entry: number): Generator<DownMarks> {
  if (message.length < HEADER + RTMSG || message.readUInt16LE(4) !== RTM_NEWROUTE) return;
  if (message[HEADER] !== AF_INET) return;
  const attributes = attributesOf(message, HEADER + RTMSG);
  const to = attributes.get(RTA_DST);
  const destination = to?.length === 4 ? `${to.join(".")}/${message[HEADER + 1]}` : "default";
  const marks = (field: string, flags: number, at: number, size: 1 | 4, device?: number) =>
    (flags & DOWN) === 0
      ? []
      : [{ entry, field, flags, rest: (flags & ~DOWN) >>> 0, destination, device, at, size }];
  const out = attributes.get(RTA_OIF);
  const device = out?.length === 4 ? out.readUInt32LE(0) : undefined;
  yield* marks("rtm_flags", message.readUInt32LE(RTM_FLAGS), start + RTM_FLAGS, 4, device);
  const ways = attributes.get(RTA_MULTIPATH);
  if (ways === undefined) return;
  const inside = start + ways.byteOffset - message.byteOffset;
  for (let at = 0, way = 0; at + RTNEXTHOP <= ways.length; way += 1) {
    const field = `rta_multipath.${way}.rtnh_flags`;
    yield* marks(field, ways[at + 2]!, inside + at + 2, 1, ways.readUInt32LE(at + 4));
    const length = ways.readUInt16LE(at);
    if (length < RTNEXTHOP) return;
    at += aligned(length);
  }
}

const aligned = (length: number): number => (length + 3) & ~3;
