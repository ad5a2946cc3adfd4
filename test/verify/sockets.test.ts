/** Sockets of this process: names, peers, what was shut down, options. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { ptr } from "bun:ffi";
import { join } from "node:path";
import { listUnixSockets } from "../../src/host/sockets.ts";
import { listUnixEnds } from "../../src/host/sock-diag.ts";
import { call } from "../../src/sys/libc.ts";
import { socketOptions } from "../../src/verify/socket-options.ts";
import { unixPeers, unixSockets } from "../../src/verify/sockets.ts";
import { said, type Scene } from "./tree.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-sockets-"));
const path = join(dir, "socket");
let server: Server;
let client: { end(): void };
/** Descriptors of this process: one that listens, and the two ends of a connection to it. */
let listening: number;
let ends: number[];

const inodeOf = (fd: number) =>
  Number(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1]);
const sockets = () =>
  readdirSync("/proc/self/fd")
    .map(Number)
    .filter((fd) => {
      try {
        return inodeOf(fd) > 0;
      } catch {
        return false;
      }
    });

beforeAll(async () => {
  const before = new Set(sockets());
  server = createServer();
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  listening = sockets().find((fd) => !before.has(fd))!;
  before.add(listening);
  client = await Bun.connect({ unix: path, socket: { data() {} } });
  for (
    let round = 0;
    round < 500 && sockets().filter((fd) => !before.has(fd)).length < 2;
    round += 1
  )
    await Bun.sleep(2);
  ends = sockets().filter((fd) => !before.has(fd));
});
afterAll(() => {
  client.end();
  server.close();
  rmSync(dir, { recursive: true });
});

const bytes = (text: string) => Buffer.from(`${text}\0`);
const DGRAM = 2;
const ESTABLISHED = 1;
const LISTEN = 10;
const usk = (more: object) => ({
  id: 7,
  ino: 70,
  type: 1,
  state: LISTEN,
  name: bytes(path),
  peer: 0,
  backlog: 511,
  deleted: false,
  ...more,
});

function named(saved: object, { fd = listening, runs = false, ids = {} } = {}): string[] {
  return said(unixSockets, {
    saved: [{ ids, fds: [{ fd, id: 7, flags: 0 }] }],
    now: { 10: { real: true } },
    checkpoint: { openFiles: new Map([[7, { usk: usk(saved) }]]) },
    runs,
  } as Scene);
}

test("a Unix socket's name, and that it listens", () => {
  expect(ends).toHaveLength(2);
  expect(named({})).toEqual([]);
  const other = named({ name: bytes("/other") });
  expect(other).toEqual([`fatal socket at descriptor ${listening}: /other, ${path}`]);
  expect(named({ name: bytes("/other") }, { runs: true })[0]).toStartWith("changed socket");
  const [end] = ends;
  expect(named({}, { fd: end! })).toContainEqual(`fatal ${path} listens: yes, no`);
  expect(named({}, { fd: 9999 })).toEqual([
    `fatal socket at descriptor 9999: ${path}, undefined`,
    `fatal ${path} listens: yes, no`,
  ]);
  // A datagram socket that is connected has its name, too; an end of a connection has that of its server.
  expect(named({ type: DGRAM, state: ESTABLISHED, name: bytes("/x") })).toHaveLength(1);
  expect(named({ state: ESTABLISHED, name: bytes("/x") })).toEqual([]);
  expect(named({ name: Buffer.alloc(0) })).toEqual([]);
  const gone = /^left out: names of sockets whose file was gone/;
  expect(named({ name: bytes("/x"), deleted: true })[0]).toMatch(gone);
  expect(named({ name: bytes("/x"), ns_id: 5 })[0]).toMatch(gone);
  expect(named({ name: bytes("/x"), ns_id: 5 }, { ids: { net_ns_id: 5 } })[0]).toStartWith("fatal");
});

function peers(saved: { fd: number; usk: object }[], elsewhere = false): string[] {
  const files = saved.map(({ usk: of }, at) => [7 + at, { usk: of }] as const);
  const links = Object.fromEntries(
    saved.map(({ fd }) => [`fd/${fd}`, readlinkSync(`/proc/self/fd/${fd}`)]),
  );
  const net = elsewhere ? "net:[1]" : readlinkSync("/proc/self/ns/net");
  return said(unixPeers, {
    saved: [{ fds: saved.map(({ fd }, at) => ({ fd, id: 7 + at, flags: 0 })) }],
    now: { 10: { links: { ...links, "ns/net": net } } },
    checkpoint: { openFiles: new Map(files) },
  } as Scene);
}

test("which two are the ends of one connection, what was shut down, how many may wait", () => {
  const [one, other] = ends as [number, number];
  const pair = (more: object = {}) => [
    { fd: one, usk: usk({ ino: 1, peer: 2, state: ESTABLISHED, shutdown: 0, ...more }) },
    { fd: other, usk: usk({ ino: 2, peer: 1, state: ESTABLISHED }) },
  ];
  expect(peers(pair())).toEqual([]);
  expect(peers(pair({ peer: 1 }))).toEqual([
    `fatal peer of descriptor ${one}: ${one} of task 10, ${other} of task 10`,
  ]);
  expect(peers(pair({ shutdown: 2 }))).toEqual([`fatal shutdown(2) of descriptor ${one}: 2, 0`]);
  const left = "left out: peers outside the tree, or that wait to be accepted";
  expect(peers([pair()[0]!])).toEqual([left]);
  // A connection that waits is at the end that listens.
  expect(peers([pair()[0]!, { fd: listening, usk: usk({ ino: 2, backlog: now() }) }])).toEqual([
    left,
  ]);

  const waits = (backlog: number) => peers([{ fd: listening, usk: usk({ backlog }) }]);
  expect(waits(now())).toEqual([]);
  expect(waits(now() - 1)[0]).toStartWith("fatal connections that may wait");
  // net.core.somaxconn may allow less here.
  expect(waits(now() + 1)[0]).toStartWith("tolerated connections that may wait");
  expect(peers(pair(), true)[0]).toBe("left out: ends of sockets in another network namespace");
});

const now = () => listUnixEnds()!.get(inodeOf(listening))!.backlog!;

test("names that /proc shows of another network namespace are those of the socket", () => {
  expect(
    listUnixSockets(process.pid).find(({ inode }) => inode === inodeOf(listening)),
  ).toMatchObject({
    path,
    listening: true,
  });
});

/** SO_* as they are of a new Unix socket here. */
const options = (more: object = {}) => ({
  so_sndbuf: sizes()[0],
  so_rcvbuf: sizes()[1],
  so_priority: 0,
  so_rcvlowat: 1,
  so_mark: 0,
  so_passcred: false,
  so_passsec: false,
  so_dontroute: false,
  so_no_check: false,
  so_broadcast: false,
  so_keepalive: false,
  so_oobinline: false,
  so_snd_tmo_sec: 0n,
  so_snd_tmo_usec: 0n,
  so_rcv_tmo_sec: 0n,
  so_rcv_tmo_usec: 0n,
  ...more,
});
const sizes = (): [number, number] => {
  const read = (name: string) =>
    Number(require("node:fs").readFileSync(`/proc/sys/net/core/${name}`, "utf8"));
  return [read("wmem_default"), read("rmem_default")];
};

function optioned(more: object, { kind = "usk", words = [] as string[], of = {} } = {}): string[] {
  const entry = { [kind]: { ...usk({}), dst_port: 0, ...of, opts: options(more) } };
  return said(socketOptions, {
    saved: [{ fds: [{ fd: listening, id: 7, flags: 0 }] }],
    now: { 10: { real: true } },
    words,
    checkpoint: { openFiles: new Map([[7, entry]]) },
  } as Scene);
}

test("each option of sockets that CRIU saves", () => {
  expect(optioned({})).toEqual([]);
  const others: [object, string][] = [
    [{ so_sndbuf: 4096 }, "so_sndbuf"],
    [{ so_rcvbuf: 4096 }, "so_rcvbuf"],
    [{ so_priority: 3 }, "so_priority"],
    [{ so_rcvlowat: 3 }, "so_rcvlowat"],
    [{ so_mark: 3 }, "so_mark"],
    ...["passcred", "passsec", "dontroute", "no_check", "broadcast", "keepalive", "oobinline"].map(
      (name): [object, string] => [{ [`so_${name}`]: true }, `so_${name}`],
    ),
    [{ so_linger: 5 }, "so_linger"],
    [{ so_bound_dev: "eth7" }, "SO_BINDTODEVICE"],
    [{ so_snd_tmo_sec: 5n }, "so_sndtimeo"],
    [{ so_snd_tmo_usec: 5n }, "so_sndtimeo"],
    [{ so_rcv_tmo_sec: 5n }, "so_rcvtimeo"],
    [{ so_rcv_tmo_usec: 5n }, "so_rcvtimeo"],
  ];
  for (const [more, name] of others) {
    const found = optioned(more);
    expect([name, found.length, found[0]]).toEqual([
      name,
      1,
      expect.stringContaining(`fatal ${name} of descriptor ${listening}: `),
    ]);
  }
});

test("how long a receiver and a sender wait are told apart", () => {
  const [SOL_SOCKET, SO_RCVTIMEO, SYS_setsockopt] = [1n, 20n, process.arch === "x64" ? 54n : 208n];
  const set = (seconds: bigint) => {
    const time = BigInt64Array.of(seconds, 0n);
    const at = BigInt(ptr(time));
    return call((c) =>
      c.syscall(SYS_setsockopt, BigInt(listening), SOL_SOCKET, SO_RCVTIMEO, at, 16n, 0n),
    );
  };
  expect(set(5n)).toBe(0);
  expect(optioned({ so_rcv_tmo_sec: 5n })).toEqual([]);
  expect(optioned({ so_snd_tmo_sec: 5n })).toHaveLength(2);
  expect(set(0n)).toBe(0);
});

test("options that are not compared, and why", () => {
  const other = { so_priority: 3, reuseaddr: true, so_reuseport: true };
  expect(optioned(other, { words: ["--inherit-fd=fd[3]:x"] })).toEqual([
    "left out: options of sockets, as --inherit-fd gives some",
  ]);
  const connection = { kind: "isk", of: { proto: 6, dst_port: 5, family: 2 } };
  expect(optioned(other, { ...connection, words: ["--tcp-close"] })).toEqual([
    "left out: options of TCP connections closed by --tcp-close",
  ]);
  // CRIU leaves both set on connections, and on nothing else.
  const fatal = (lines: string[]) =>
    lines.filter((line) => line.startsWith("fatal")).map((line) => line.split(" ")[1]);
  expect(fatal(optioned(other, connection))).toEqual(["so_priority"]);
  const datagrams = { kind: "isk", of: { proto: 17, dst_port: 5, family: 2 } };
  expect(fatal(optioned(other, datagrams))).toEqual(["so_priority", "reuseaddr", "so_reuseport"]);
});
