/** Nothing of recriu touches a network: the whole restore where there is none, with every socket traced. */
import { expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { criu, forgetKernel, openStage, recriuBinary, run, waitFor } from "./stage.ts";
import { dumpX11, echoes } from "./x11.ts";
import { tool } from "../release/systems.ts";

/** The families that recriu may use: to a process beside it, and to ask the kernel (sock_diag). */
const local = new Set(["AF_UNIX", "AF_NETLINK"]);

/** Words before a command that is traced into a file. What it starts is let go: CRIU traces the tree itself. */
const tracing = (trace: string): string[] => [
  ...tool("usr/bin/strace"),
  "-f",
  "--detach-on=execve",
  "-e",
  "trace=network,execve",
  "-o",
  trace,
];

/** The families of the sockets that a command made, itself and what it forked until that became another program. */
function traced(trace: string): { sockets: string[]; others: string[]; threads: number } {
  const lines = readFileSync(trace, "utf8").split("\n");
  const sockets = lines.flatMap((line) => /\bsocket(?:pair)?\((AF_\w+)/.exec(line)?.[1] ?? []);
  const others = lines.filter((line) =>
    /\b(?:bind|connect|sendto|sendmsg)\(.*sa_family=AF_(?!UNIX|NETLINK)/.test(line),
  );
  return { sockets, others, threads: new Set(lines.map((line) => line.split(" ")[0])).size };
}

test("a restore works without any network, and recriu opens no socket but local ones", async () => {
  await using stage = openStage();
  const x11 = await dumpX11(stage);
  rmSync(x11.sockets, { recursive: true });
  const before = echoes(x11);
  const trace = join(stage.dir, "trace");
  const strace = tracing(trace);
  const restore = [recriuBinary, "restore", "-d", "-D", x11.images, `--criu=${criu}`];
  // CRIU itself, without its cache, does not start where not even the loopback interface is up, and recriu knows why.
  forgetKernel(stage);
  const alone = await run(stage, ["unshare", "--net", ...restore]);
  expect(alone.stderr).toContain("Unable to connect a socket: Network is unreachable");
  expect(alone.stderr).toContain("ip link set lo up");
  expect(alone.exit).toBe(1);
  const loopback = ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
  const restored = await run(stage, ["unshare", "--net", ...loopback, ...strace, ...restore]);
  expect(restored.stderr).toContain("the tree is the saved one");
  expect(restored.exit).toBe(0);
  await waitFor("the client to go on", () => echoes(x11) > before + 1);

  const { sockets, others, threads } = traced(trace);
  expect(sockets).toContain("AF_NETLINK");
  expect(sockets.filter((family) => !local.has(family))).toEqual([]);
  expect(others).toEqual([]);
  expect(threads).toBeGreaterThan(1);
  // It was recriu that was traced, to its end.
  expect(readFileSync(trace, "utf8")).toMatch(/\+\+\+ exited with 0 \+\+\+/);
});

test("nor do the commands that only look", async () => {
  await using stage = openStage();
  const { images } = await dumpX11(stage);
  const looks = [
    ["preflight", "-D", images, `--criu=${criu}`],
    ["show", "-D", images],
    ["doctor"],
    ["explain", "pid-in-use"],
    ["--version"],
  ];
  for (const words of looks) {
    const trace = join(stage.dir, "trace");
    await run(stage, ["unshare", "--net", ...tracing(trace), recriuBinary, ...words]);
    const { sockets, others } = traced(trace);
    expect(readFileSync(trace, "utf8")).toContain("+++ exited with ");
    expect([words[0], sockets.filter((family) => !local.has(family)), others]).toEqual([
      words[0],
      [],
      [],
    ]);
  }
});
