/** Sockets and locks whose fault a test machine does not have: a made-up host, edited images. */
import { overlap, textOf } from "../../src/checks/sockets/inet-entries.ts";
import { tcpPortBusy } from "../../src/checks/sockets/tcp-port-busy.ts";
import { udpPortBusy } from "../../src/checks/sockets/udp-port-busy.ts";
import { type HeldLock, lockName, parseLocks } from "../../src/host/locks.ts";
import type { InetSocket } from "../../src/host/sock-diag.ts";
import { parseUnixSockets } from "../../src/host/sockets.ts";
import { withContext } from "./context.ts";
import { host, imagesWith, opts, tcp } from "./sockets.ts";
import { expect, test } from "bun:test";

test("what the kernel does not say is a warning", () => {
  const any = new Uint8Array(16);
  const run = (socket: Partial<InetSocket>, isk: object = {}) =>
    withContext(imagesWith(tcp(isk)), { host: host(socket) }, (context) => [
      ...[...tcpPortBusy.run(context)].map(({ severity }) => `tcp-port-busy ${severity}`),
      ...[...udpPortBusy.run(context)].map(({ severity }) => `udp-port-busy ${severity}`),
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
