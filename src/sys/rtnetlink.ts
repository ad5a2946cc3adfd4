/** Devices, addresses and routes of this thread's network namespace, made by orders to the kernel: rtnetlink(7). */
import { closeSync, readSync, writeSync } from "node:fs";
import { indexOf } from "./interfaces.ts";
import { cString } from "./libc.ts";
import { AF_INET, AF_INET6, AF_NETLINK, IFF_UP, SOCK_RAW } from "./linux.ts";
import { openSocket } from "./sockets.ts";

const NETLINK_ROUTE = 0;
const NLMSG_ERROR = 2;
/** NLM_F_REQUEST, NLM_F_ACK; with NLM_F_CREATE and NLM_F_EXCL. */
const CHANGE = 0x5;
const CREATE = 0x605;
const RTM_NEWLINK = 16;
const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const IFLA = { IFNAME: 3, LINKINFO: 18, NET_NS_PID: 19, INFO_KIND: 1, INFO_DATA: 2, INFO_PEER: 1 };
const IFA = { ADDRESS: 1, LOCAL: 2 };
const IFA_F_NODAD = 2;
const RTA = { DST: 1, OIF: 4, GATEWAY: 5 };
const [RT_TABLE_MAIN, RTPROT_BOOT, RTN_UNICAST] = [254, 3, 1];
const [RT_SCOPE_UNIVERSE, RT_SCOPE_LINK] = [0, 253];

const padded = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);

function attribute(type: number, ...parts: Uint8Array[]): Uint8Array {
  const bytes = Buffer.concat([Buffer.alloc(4), ...parts]);
  bytes.writeUInt16LE(bytes.length, 0);
  bytes.writeUInt16LE(type, 2);
  return padded(bytes);
}

function number(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** 0 or -errno. */
function order(type: number, flags: number, ...body: Uint8Array[]): number {
  const fd = openSocket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  if (fd < 0) return fd;
  try {
    const packet = Buffer.concat([Buffer.alloc(16), ...body]);
    packet.writeUInt32LE(packet.length, 0);
    packet.writeUInt16LE(type, 4);
    packet.writeUInt16LE(flags, 6);
    writeSync(fd, packet);
    const answer = Buffer.alloc(8192);
    const length = readSync(fd, answer);
    if (length < 20 || answer.readUInt16LE(4) !== NLMSG_ERROR)
      throw new Error("the kernel's answer to an order of rtnetlink(7) is none");
    return answer.readInt32LE(16);
  } finally {
    closeSync(fd);
  }
}

/** struct ifinfomsg. */
function device(index: number, up = false): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(index, 4);
  for (const at of [8, 12]) bytes.writeUInt32LE(up ? IFF_UP : 0, at);
  return bytes;
}

/** One end of a veth(4) pair. */
interface End {
  readonly name: string;
  /** Its number; 0: the kernel's choice. */
  readonly index?: number;
  /** It is put into the network namespace of this process. */
  readonly in?: number;
}

const endOf = ({ name, index = 0, in: pid }: End): Uint8Array =>
  Buffer.concat([
    device(index),
    attribute(IFLA.IFNAME, cString(name)),
    ...(pid === undefined ? [] : [attribute(IFLA.NET_NS_PID, number(pid))]),
  ]);

/** 0 or -errno, as of all that follow. */
export const makePair = (one: End, other: End): number =>
  order(
    RTM_NEWLINK,
    CREATE,
    endOf(one),
    attribute(
      IFLA.LINKINFO,
      attribute(IFLA.INFO_KIND, Buffer.from("veth")),
      attribute(IFLA.INFO_DATA, attribute(IFLA.INFO_PEER, endOf(other))),
    ),
  );

const withIndex = (name: string, use: (index: number) => number): number => {
  const index = indexOf(name);
  if (index === undefined) throw new Error(`there is no network device ${name}`);
  return use(index);
};

export const bringUp = (name: string): number =>
  withIndex(name, (index) => order(RTM_NEWLINK, CHANGE, device(index, true)));

const familyOf = (address: Uint8Array): number => (address.length === 4 ? AF_INET : AF_INET6);

/** Give a device an address of 4 or 16 bytes. */
export const addAddress = (name: string, address: Uint8Array, prefix: number): number =>
  withIndex(name, (index) =>
    order(
      RTM_NEWADDR,
      CREATE,
      Uint8Array.from([familyOf(address), prefix, IFA_F_NODAD, RT_SCOPE_UNIVERSE]),
      number(index),
      attribute(IFA.LOCAL, address),
      attribute(IFA.ADDRESS, address),
    ),
  );

/** A route to one address by a device; `by` a gateway to all there is. */
export const addRoute = (name: string, to: { at: Uint8Array } | { by: Uint8Array }): number =>
  withIndex(name, (index) => {
    const direct = "at" in to;
    const address = direct ? to.at : to.by;
    const scope = direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    const size = direct ? address.length * 8 : 0;
    const route = [familyOf(address), size, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, scope, RTN_UNICAST];
    return order(
      RTM_NEWROUTE,
      CREATE,
      Uint8Array.from(route),
      number(0),
      attribute(direct ? RTA.DST : RTA.GATEWAY, address),
      attribute(RTA.OIF, number(index)),
    );
  });
