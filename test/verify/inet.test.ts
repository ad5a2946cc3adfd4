/**
 * TCP sockets against a live listener: CRIU 4.1.1 cannot dump them on the test machine (Linux 6.18), so the saved side is made up
 * here. With CRIU 4.2.1 the facet was compared on the TCP programs of CRIU's own test suite.
 */
import { expect, test } from "bun:test";
import { readdirSync, readlinkSync, readFileSync } from "node:fs";
import { ProcessFiles } from "../../src/host/process-files.ts";
import type { Facet } from "../../src/verify/facet.ts";
import { connections, inetSockets } from "../../src/verify/inet.ts";

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

/** What a tcp-stream image says of an idle connection's queues. */
const stream = { inq_len: 0, outq_len: 0 };

const listener = (port: number) => ({ src_port: port, dst_port: 0, proto: 6, state: 10 });

/** What a facet says of this process, were it saved with the socket `isk` at descriptor `fd`. */
function compare(facet: Facet, fd: number, isk: object, stopped = true): string[] {
  const task = { pid: 1, fds: [{ id: 7, fd }] };
  const found: string[] = [];
  const live = { task, pid: process.pid, proc: new ProcessFiles(process.pid) };
  facet.compare(
    {
      checkpoint: { openFiles: new Map([[7, { isk }]]), values: () => [stream] },
      live: { tasks: new Map([[1, live]]), stopped },
      request: { tcpClose: false },
    } as never,
    {
      same(_task, what, expected, now) {
        if (String(expected) !== String(now)) found.push(`${what}: ${now}`);
      },
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
  const socket = { data() {} };
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket });
  const client = await Bun.connect({ hostname: "127.0.0.1", port: server.port, socket });
  const fd = descriptorOf(client.localPort);
  const pair = { src_port: client.localPort, dst_port: server.port };
  const saved = { ...pair, proto: 6, state: 1, ino: 1 };
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
  client.end();
  server.stop(true);
});
