/**
 * TCP sockets against a live listener: CRIU 4.1.1 cannot dump them on the test machine (Linux 6.18), so the saved side is made up
 * here. With CRIU 4.2.1 the facet was compared on the TCP programs of CRIU's own test suite.
 */
import { expect, test } from "bun:test";
import { readdirSync, readlinkSync, readFileSync } from "node:fs";
import { ProcessFiles } from "../../src/host/process-files.ts";
import { inetSockets } from "../../src/verify/inet.ts";

/** The descriptor of this process that listens on a port. */
function descriptorOf(port: number): number {
  const line = readFileSync("/proc/self/net/tcp", "utf8")
    .split("\n")
    .find((each) => each.includes(`:${port.toString(16).toUpperCase().padStart(4, "0")} `));
  const inode = line!.trim().split(/\s+/)[9];
  const fd = readdirSync("/proc/self/fd").find((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`) === `socket:[${inode}]`;
    } catch {
      return false;
    }
  });
  return Number(fd);
}

/** What the facet says of this process, were it saved with a listener on `port` at descriptor `fd`. */
function compare(fd: number, port: number): string[] {
  const isk = { src_port: port, dst_port: 0, proto: 6, state: 10 };
  const task = { pid: 1, fds: [{ id: 7, fd }] };
  const found: string[] = [];
  inetSockets.compare(
    {
      checkpoint: { openFiles: new Map([[7, { isk }]]) },
      live: {
        tasks: new Map([[1, { task, pid: process.pid, proc: new ProcessFiles(process.pid) }]]),
      },
      request: { tcpClose: false },
    } as never,
    {
      same(_task, what, expected, now) {
        if (String(expected) !== String(now)) found.push(`${what}: ${now}`);
      },
    },
  );
  return found;
}

test("a listener on its port, on another, and none", () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const fd = descriptorOf(server.port);
  expect(compare(fd, server.port)).toEqual([]);
  expect(compare(fd, server.port + 1)).toEqual([`ports of descriptor ${fd}: ${server.port} to 0`]);
  server.stop(true);
  expect(compare(0, 80)).toEqual(["ports of descriptor 0: undefined", "port 80 listens: no"]);
});
