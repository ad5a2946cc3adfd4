/** Sockets and locks whose fault a test machine does not have: a made-up host, edited images. */
import { expect, test } from "bun:test";
import { overlap, textOf } from "../../src/checks/sockets/inet-entries.ts";
import { tcpAddressMissing } from "../../src/checks/sockets/tcp-address-missing.ts";
import { tcpPortBusy } from "../../src/checks/sockets/tcp-port-busy.ts";
import { udpPortBusy } from "../../src/checks/sockets/udp-port-busy.ts";
import { unixSocketBusy } from "../../src/checks/sockets/unix-socket-busy.ts";
import { type HeldLock, lockName, parseLocks } from "../../src/host/locks.ts";
import type { InetSocket } from "../../src/host/sock-diag.ts";
import { parseUnixSockets } from "../../src/host/sockets.ts";
import { fixture, image } from "../image/fixture.ts";
import { withContext } from "./context.ts";

const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
const noTime = { so_snd_tmo_sec: 0n, so_snd_tmo_usec: 0n, so_rcv_tmo_sec: 0n, so_rcv_tmo_usec: 0n };
const opts = { so_sndbuf: 0, so_rcvbuf: 0, ...noTime };
const LOCALHOST = new Uint8Array([127, 0, 0, 1]);

function imagesWith(file: object, root: object = {}): Record<string, Uint8Array> {
  const ids = { vm_id: 1, files_id: 2, fs_id: 3, sighand_id: 4, pid_ns_id: 1, mnt_ns_id: 6 };
  return {
    ...fixture(),
    "ids-10.img": image("ids-10.img", [{ ...ids, net_ns_id: 2, ...root }]),
    "files.img": image("files.img", [{ id: 9, ...file }]),
  };
}

const tcp = (isk: object = {}) => ({
  type: 4,
  isk: {
    id: 9,
    ino: 1,
    family: 2,
    type: 1,
    proto: 6,
    state: 10,
    src_port: 80,
    dst_port: 0,
    flags: 2,
    backlog: 8,
    src_addr: [0x0100007f],
    dst_addr: [0],
    fown,
    opts,
    ...isk,
  },
});

const listener: InetSocket = {
  family: 2,
  protocol: 6,
  state: 10,
  source: LOCALHOST,
  sourcePort: 80,
  destination: new Uint8Array(4),
  destinationPort: 0,
  device: 0,
  uid: 0,
  inode: 5,
  v6only: undefined,
};

const host = (socket: Partial<InetSocket>, reuse?: { address: boolean; port: boolean }) => ({
  inetSockets: () => [{ ...listener, ...socket }],
  ownerOf: () => undefined,
  reuseOf: () => reuse,
  interfaces: undefined,
});

test("ports belong to the network namespace of the tree", () => {
  const run = (root: object, options: string[] = []) =>
    withContext(imagesWith(tcp(), root), { host: host({}), options }, (context) =>
      tcpPortBusy.run(context),
    );
  expect(run({})).toMatchObject([{ severity: "blocker" }]);
  expect(run({ net_ns_id: 7 })).toEqual([]);
  expect(run({}, ["--join-ns", "net:1"])).toEqual([]);
});

test("what the kernel does not say is a warning", () => {
  const any = new Uint8Array(16);
  const run = (socket: Partial<InetSocket>, isk: object = {}) =>
    withContext(imagesWith(tcp(isk)), { host: host(socket) }, (context) => [
      ...tcpPortBusy.run(context).map(({ severity }) => `tcp-port-busy ${severity}`),
      ...udpPortBusy.run(context).map(({ severity }) => `udp-port-busy ${severity}`),
    ]);
  expect(run({ source: any, v6only: false })).toEqual(["tcp-port-busy blocker"]);
  expect(run({ source: any })).toEqual(["tcp-port-busy warning"]);
  expect(run({ source: any, v6only: true })).toEqual([]);
  expect(run({ state: 1 })).toEqual([]);
  expect(run({ device: 3 }, { opts: { ...opts, so_bound_dev: "other" } })).toEqual([]);
  expect(run({}, { type: 3 })).toEqual([]);
  // Whether the other one shares its port cannot be asked.
  expect(run({}, { opts: { ...opts, so_reuseport: true } })).toEqual(["tcp-port-busy warning"]);
  expect(run({ state: 7 }, { proto: 17, type: 2, state: 7 })).toEqual(["udp-port-busy warning"]);
});

test("addresses: any, IPv4 in IPv6, and how they are written", () => {
  const at = (address: number[], v6only?: boolean) => ({
    address: new Uint8Array(address),
    port: 80,
    device: undefined,
    v6only,
  });
  const any6 = Array.from({ length: 16 }, () => 0);
  expect(overlap(at([0, 0, 0, 0]), at([127, 0, 0, 1]))).toBe("yes");
  expect(overlap(at([10, 0, 0, 1]), at([127, 0, 0, 1]))).toBe("no");
  expect(overlap(at([10, 0, 0, 1]), at(any6, false))).toBe("yes");
  expect(overlap(at([10, 0, 0, 1]), at([...any6.slice(1), 1], false))).toBe("no");
  expect(textOf(new Uint8Array([...any6.slice(1), 1]), 80)).toBe("[::1]:80");
  expect(textOf(new Uint8Array([0xfe, 0x80, ...any6.slice(3), 0x12]))).toBe("fe80::12");
});

test("an address is asked for once, of IPv6 only for connections", () => {
  const asked: string[] = [];
  const bindAddress = (address: Uint8Array) => (asked.push(textOf(address)), -99);
  const run = (isk: object) =>
    withContext(imagesWith(tcp(isk)), { host: { bindAddress, interfaces: undefined } }, (context) =>
      tcpAddressMissing.run(context).map(({ subject }) => subject),
    );
  const six = { family: 10, src_addr: [0xb80d0120, 0, 0, 0x01000000], dst_addr: [0, 0, 0, 0] };
  expect(run({})).toEqual(["127.0.0.1"]);
  expect(run({ src_addr: [0] })).toEqual([]);
  expect(run(six)).toEqual([]);
  expect(run({ ...six, dst_port: 9 })).toEqual(["2001:db8::1"]);
  expect(asked).toEqual(["127.0.0.1", "2001:db8::1"]);
});

test("unix-socket-busy: a name alone is a warning", () => {
  const path = "/run/recriu-none/socket";
  const name = Buffer.from(`${path}\0`);
  const usk = {
    id: 9,
    ino: 1,
    type: 1,
    state: 10,
    flags: 2,
    uflags: 0,
    backlog: 8,
    peer: 0,
    fown,
    opts,
    name,
  };
  const stat = { isSocket: () => true, isSymbolicLink: () => false, ino: 77, dev: 0xfe00 };
  const root = { look: () => ({ ok: true, stat }), path: "/" };
  const live = { path, type: 1, listening: true, inode: 5 };
  const file = { inode: 5, fileInode: 77, device: 254 << 20, name: "socket", type: 1 };
  const run = (boundFiles: object[] | undefined) =>
    withContext(
      imagesWith({ type: 5, usk }),
      {
        host: {
          root: () => ({ ok: true, root }) as never,
          unixSockets: [live],
          boundFiles: boundFiles as never,
          ownerOf: () => undefined,
        },
      },
      (context) => unixSocketBusy.run(context).map(({ severity }) => severity),
    );
  expect(run([{ ...file, listening: true }])).toEqual(["blocker"]);
  // No unix_diag in the kernel; a file system that shows another device; another file of that name.
  expect(run(undefined)).toEqual(["warning"]);
  expect(run([{ ...file, name: path, device: 3, fileInode: 78 }])).toEqual(["warning"]);
  expect(run([{ ...file, name: path, device: 3 }])).toEqual(["blocker"]);
  expect(run([{ ...file, name: path, fileInode: 78 }])).toEqual([]);
  expect(run([])).toEqual([]);
});

test("/proc/net/unix: a name may have a newline, or what other separators there are", () => {
  const row = (inode: number, name: string) =>
    `000000001: 00000002 00000000 00010000 0001 01 ${inode} ${name}\n`;
  const text = `Num RefCount\n${row(5, "/a\nb\n")}${row(6, "/c\r\u2028 d")}`;
  const seen = parseUnixSockets(text).map(({ inode, path }) => [inode, path]);
  expect(seen).toEqual([
    [5, "/a\nb\n"],
    [6, "/c\r\u2028 d"],
  ]);
});

test("/proc/locks: who holds, who only waits, and of which file", () => {
  const text = [
    "1: POSIX  ADVISORY  WRITE 3568 fd:00:2531452 0 EOF",
    "1: -> POSIX  ADVISORY  WRITE 3569 fd:00:2531452 0 EOF",
    "2: OFDLCK ADVISORY  READ -1 08:01:8713209 128 191",
  ].join("\n");
  const expected: HeldLock[] = [
    {
      kind: "POSIX",
      exclusive: true,
      pid: 3568,
      file: "fd:00:2531452",
      start: 0n,
      end: undefined,
    },
    { kind: "OFDLCK", exclusive: false, pid: -1, file: "08:01:8713209", start: 128n, end: 191n },
  ];
  expect(parseLocks(text)).toEqual(expected);
  expect(lockName({ dev: 0xfd00, ino: 2531452 })).toBe("fd:00:2531452");
});
