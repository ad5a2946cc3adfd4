/** What the sockets of a tree need in a network of its own: devices, addresses, and ways to those that they are connected to. */
import { closeSync, constants, writeSync } from "node:fs";
import { hostNeeds, textOf } from "../checks/index.ts";
import type { Network, Request, Settings } from "../criu/index.ts";
import { thisHost } from "../host/index.ts";
import type { Checkpoint } from "../image/index.ts";
import { errorText } from "../sys/errno.ts";
import { openEntry } from "../sys/files.ts";
import { AT_FDCWD } from "../sys/linux.ts";
import { inNetwork } from "../sys/network.ts";
import { addAddress, addRoute, bringUp, makePair } from "../sys/rtnetlink.ts";
import { bindAddress } from "../sys/sockets.ts";

/** The two ends of a pair between this machine and the tree. */
export interface Pair {
  readonly host: Place;
  readonly tree: Place;
}

interface Place {
  readonly device: string;
  readonly address: string;
}

const LO = "lo";
/** The tree's end of the pair to this machine. */
const INSIDE = "recriu0";
/** Far ends of devices that lead nowhere have numbers from here on: the kernel's choice could be one that is needed. */
const FAR = 100_000;
const PING_GROUPS = "/proc/sys/net/ipv4/ping_group_range";

/** Ready the network in which the init `init` is, which has nothing yet. Throws what is in the way. */
export function readyNetwork(
  checkpoint: Checkpoint,
  request: Request,
  replaceIp: Settings["replaceIp"],
  network: Network,
  init: number,
): Pair | undefined {
  const needs = hostNeeds(checkpoint, thisHost(), request, replaceIp);
  const pair = network === "veth" ? freePair(init) : undefined;
  if (pair !== undefined) {
    const { host } = pair;
    done(
      makePair({ name: host.device }, { name: INSIDE, in: init }),
      "no veth pair can be made to this machine",
    );
    give(host, pair.addresses.host);
  }
  const path = `/proc/${init}/ns/net`;
  const ready = inNetwork(path, () => {
    done(bringUp(LO), `${LO} cannot be brought up`);
    [...needs.devices].forEach(([name, index], nth) => {
      const far = { name: `recriu-far${nth}`, index: FAR + nth };
      done(makePair({ name, index }, far), `the device ${name} cannot be made`);
      for (const end of [name, far.name]) done(bringUp(end), `${end} cannot be brought up`);
    });
    for (const address of needs.addresses)
      done(addAddress(LO, address, address.length * 8), `${textOf(address)} cannot be given`);
    if (pair !== undefined) {
      give(pair.tree, pair.addresses.tree);
      done(addRoute(INSIDE, { by: pair.addresses.host }), "no route can be made to this machine");
    }
    // Without a way a connection cannot be made again; this one ends here.
    for (const peer of needs.peers)
      done(addRoute(LO, { at: peer }), `no route to ${textOf(peer)} can be made`);
    if (needs.pings) allowPings();
    return true;
  });
  if (ready === undefined) throw new Error(`the tree's network, ${path}, cannot be entered`);
  return pair;
}

function done(result: number, what: string): void {
  if (result < 0) throw new Error(`${what}: ${errorText(result)}`);
}

/** A new network lets no group make ICMP sockets, and CRIU makes them with its own. */
function allowPings(): void {
  const fd = openEntry(AT_FDCWD, PING_GROUPS, constants.O_WRONLY);
  done(fd, PING_GROUPS);
  writeSync(fd, "0 2147483647");
  closeSync(fd);
}

/** Pairs of addresses next to each other, RFC 3021: 198.18.0.0/15 is for tests, and in no network (RFC 2544). */
const PREFIX = 31;
const PAIRS = 0x10000;
const pairAt = (nth: number): [Uint8Array, Uint8Array] => {
  const at = (last: number) =>
    Uint8Array.from([198, 18 + (nth >>> 15), (nth >>> 7) & 0xff, ((nth & 0x7f) << 1) | last]);
  return [at(0), at(1)];
};

function give({ device }: Place, address: Uint8Array): void {
  done(bringUp(device), `${device} cannot be brought up`);
  done(addAddress(device, address, PREFIX), `${textOf(address)} cannot be given`);
}

/** The first pair of addresses to which this machine has no way but that to everything. */
function freePair(init: number): Pair & { addresses: { host: Uint8Array; tree: Uint8Array } } {
  const routes = routesOf(thisHost().read("/proc/thread-self/net/route") ?? "");
  for (let nth = 0; nth < PAIRS; nth++) {
    const [host, tree] = pairAt(nth);
    const number = Buffer.from(host).readUInt32LE(0);
    const taken = routes.some(({ to, mask }) => mask !== 0 && (number & mask) === (to & mask));
    if (taken || bindAddress(host) === 0) continue;
    return {
      host: { device: `recriu${init}`, address: textOf(host) },
      tree: { device: INSIDE, address: textOf(tree) },
      addresses: { host, tree },
    };
  }
  throw new Error("of 198.18.0.0/15 no two addresses are free for a pair to this machine");
}

/** Numbers as they are in memory. proc_net(5) */
const routesOf = (text: string): { to: number; mask: number }[] =>
  text
    .split("\n")
    .slice(1)
    .map((line) => line.split(/\s+/))
    .filter((fields) => fields.length > 7)
    .map((fields) => ({
      to: Number.parseInt(fields[1]!, 16) | 0,
      mask: Number.parseInt(fields[7]!, 16) | 0,
    }));
