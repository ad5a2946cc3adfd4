/**
 * TCP sockets against a live listener: CRIU 4.1.1 cannot dump them on the test machine (Linux 6.18), so the images are made up
 * here, of a tree that is this process. With CRIU 4.2.1 the facet was compared on the TCP programs of CRIU's own test suite.
 */
import { afterAll, expect, test } from "bun:test";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requestFrom } from "../../src/criu/index.ts";
import { openCheckpoint } from "../../src/image/index.ts";
import type { Facet } from "../../src/verify/facet.ts";
import { connections, hasConnections, inetSockets } from "../../src/verify/inet.ts";
import { liveTree } from "../../src/verify/live.ts";
import { fixture, image } from "../image/fixture.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-inet-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** The descriptor of this process whose TCP socket is at a port of this machine. */
function descriptorOf(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const line = readFileSync("/proc/self/net/tcp", "utf8")
    .split("\n")
    .map((each) => each.trim().split(/\s+/))
    .find(([, address]) => address?.endsWith(local));
  const inode = line![9];
  const fd = readdirSync("/proc/self/fd").find((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`) === `socket:[${inode}]`;
    } catch {
      return false;
    }
  });
  return Number(fd);
}

/** What the image of an idle connection's queues says. */
const stream = {
  inq_len: 0,
  inq_seq: 0,
  outq_len: 0,
  outq_seq: 0,
  opt_mask: 0,
  snd_wscale: 0,
  mss_clamp: 0,
};
const INODE = 1;

const socket = {
  id: 7,
  ino: INODE,
  family: 2,
  type: 1,
  proto: 6,
  flags: 0,
  backlog: 0,
  src_addr: [0],
  dst_addr: [0],
  fown: { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 },
  opts: {
    so_sndbuf: 0,
    so_rcvbuf: 0,
    so_snd_tmo_sec: 0n,
    so_snd_tmo_usec: 0n,
    so_rcv_tmo_sec: 0n,
    so_rcv_tmo_usec: 0n,
  },
};

const listener = (port: number) => ({ src_port: port, dst_port: 0, state: 10 });

/** What a facet says of this process, were it saved with the socket `isk` at descriptor `fd`. */
function compare(
  facet: Facet,
  fd: number,
  isk: object,
  stopped = true,
  words: string[] = [],
): string[] {
  const { pid } = process;
  const name = `tcp-stream-${INODE}.img`;
  const images = {
    "inventory.img": fixture()["inventory.img"]!,
    "pstree.img": image("pstree.img", [{ pid, ppid: 0, pgid: pid, sid: pid, threads: [pid] }]),
    [`core-${pid}.img`]: fixture()["core-10.img"]!,
    [`ids-${pid}.img`]: fixture()["ids-10.img"]!,
    "fdinfo-2.img": image("fdinfo-2.img", [{ id: 7, flags: 0, type: 4, fd }]),
    "files.img": image("files.img", [{ type: 4, id: 7, isk: { ...socket, ...isk } }]),
    // The queue's bytes stand behind the entry.
    [name]: Buffer.concat([image(name, [stream]), Buffer.alloc(stream.inq_len)]),
  };
  for (const [file, bytes] of Object.entries(images)) writeFileSync(join(dir, file), bytes);
  const opened = openCheckpoint(dir);
  const asked = requestFrom(["-D", dir, ...words], {});
  if (!opened.ok || !asked.ok) throw new Error("no checkpoint");
  const { checkpoint } = opened;
  const found: string[] = [];
  facet.compare(
    {
      checkpoint,
      live: liveTree(checkpoint, pid, stopped),
      request: asked.request,
      lostPriority: undefined,
      early: false,
    },
    {
      same(_task, what, expected, now) {
        if (String(expected) !== String(now)) found.push(`${what}: ${now}`);
      },
      alike() {},
      leftOut() {},
    },
  );
  return found;
}

test("a listener on its port, on another, and none", () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const fd = descriptorOf(server.port);
  const said = (at: number, port: number) => compare(inetSockets, at, listener(port));
  expect(said(fd, server.port)).toEqual([]);
  expect(said(fd, server.port + 1)).toEqual([`ports of descriptor ${fd}: ${server.port} to 0`]);
  server.stop(true);
  expect(said(0, 80)).toEqual(["ports of descriptor 0: undefined", "port 80 listens: no"]);
});

test("the state of a connection counts while the network is locked, its ports always", async () => {
  const handlers = { data() {} };
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: handlers });
  const client = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port,
    socket: handlers,
  });
  const fd = descriptorOf(client.localPort);
  const pair = { src_port: client.localPort, dst_port: server.port };
  const saved = { ...pair, state: 1 };
  // FIN_WAIT2: nothing is counted beside the bytes.
  const closing = { ...saved, state: 5 };
  expect(compare(connections, fd, saved)).toEqual([]);
  stream.inq_len = 3;
  const queued = [`bytes sent and received of descriptor ${fd}: 0 and 0`];
  expect(compare(connections, fd, saved)).toEqual(queued);
  stream.inq_len = 0;
  expect(compare(connections, fd, closing)).toEqual([`TCP state of descriptor ${fd}: 1`]);
  expect(compare(connections, fd, closing, false)).toEqual([]);
  expect(compare(inetSockets, fd, closing)).toEqual([]);
  const { src_port, dst_port } = saved;
  const ports = [`ports of descriptor ${fd}: ${src_port} to ${dst_port}`];
  expect(compare(inetSockets, fd, { ...saved, dst_port: 9 })).toEqual(ports);
  // They are new sockets then.
  for (const facet of [connections, inetSockets])
    expect(compare(facet, fd, { ...closing, dst_port: 9 }, true, ["--tcp-close"])).toEqual([]);
  client.end();
  server.stop(true);
});

test("a tree has connections with a socket that does not listen, whether it has a listener or not", () => {
  const has = (...sockets: object[]) => {
    const files = sockets.map((isk, id) => [id, { isk: { ...socket, ...isk } }] as const);
    return hasConnections({ openFiles: new Map(files) } as never);
  };
  const connection = { src_port: 5, dst_port: 6, state: 1 };
  expect(has(connection)).toBe(true);
  expect(has(listener(80), connection)).toBe(true);
  expect(has(listener(80))).toBe(false);
  expect(has({ ...connection, proto: 17 })).toBe(false);
  expect(has()).toBe(false);
});
