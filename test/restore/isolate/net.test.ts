/** Ports, names, addresses and devices that others have, or that this machine lacks, in a network of the tree's own. */
import { startDumped } from "../stage/dumped.ts";
import { expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { freePort, NOBODYS, TCP, UDP, withConnection, withSocket } from "../inet.ts";
import { blockers, finding, report } from "../report.ts";
import { openStage, recriu, restoreBare, run, running, type Stage, start } from "../stage.ts";
import { waitFor } from "../stage.ts";

const ESTABLISHED = ["--tcp-established"];
const NETWORK = `recriu-test-${process.pid}`;
/** What a process sees of its network. */
const inside = (stage: Stage, pid: number, words: string[]) =>
  run(stage, ["nsenter", "-t", `${pid}`, "-n", ...words]);

async function end(stage: Stage, root: number): Promise<void> {
  process.kill(root, "SIGKILL");
  await waitFor("the init to end", () => running(stage, "recriu-init").length === 0);
}

/** What each fault is, and images of a tree that has it. */
const faults: Record<string, (stage: Stage) => Promise<string>> = {
  "tcp-port-busy": async (stage) => {
    const src_port = freePort();
    const { images } = await withSocket(stage, { ...TCP, src_port });
    await start(stage, "objects", ["tcp", `${src_port}`]);
    return images;
  },
  "udp-port-busy": async (stage) => {
    const src_port = freePort();
    const { images } = await withSocket(stage, { ...UDP, src_port });
    await start(stage, "objects", ["udp", `${src_port}`]);
    return images;
  },
  "unix-socket-busy": async (stage) => {
    const name = `@recriu-test-${process.pid}`;
    const { images } = await startDumped(stage, "objects", ["listen", name]);
    await start(stage, "objects", ["listen", name]);
    return images;
  },
  "tcp-address-missing": async (stage) => {
    const { images } = await withSocket(stage, { ...TCP, src_port: 4711, src_addr: NOBODYS });
    return images;
  },
  "tcp-address-missing, with a peer elsewhere": async (stage) => {
    const peer = { src_addr: NOBODYS, dst_addr: [0x080200c0] };
    return (await withConnection(stage, peer)).images;
  },
  "tcp-connection-busy": async (stage) => {
    const dst_port = freePort();
    await start(stage, "tcp", [`${dst_port}`, "pair", join(stage.dir, "progress")]);
    const { stdout } = await run(stage, ["ss", "-Htn", `dport = :${dst_port}`]);
    const src_port = Number(/127\.0\.0\.1:(\d+) /.exec(stdout)![1]);
    const made = await withConnection(stage, { src_port, dst_port });
    return made.images;
  },
  "net-device-missing": async (stage) => {
    const opts = { so_bound_dev: "recriu-none0" };
    const { images } = await withSocket(stage, { ...UDP, src_port: freePort(), opts });
    return images;
  },
  "ping-group-range": async (stage) => {
    const { images } = await withSocket(stage, { type: 2, proto: 1, state: 7, src_port: 0 });
    return images;
  },
};

for (const [fault, make] of Object.entries(faults))
  test(`${fault}: bare CRIU fails, recriu names the command, and that restores`, async () => {
    await using stage = openStage();
    const images = await make(stage);
    const [id = ""] = fault.split(",");
    const options = fault.includes("connection") || fault.includes("peer") ? ESTABLISHED : [];
    // Where this machine has one other address of the kind, recriu would take that.
    const how = id === "tcp-address-missing" ? { env: { RECRIU_FIX: "none" } } : {};
    expect((await restoreBare(stage, images, options)).exit).toBe(1);
    const blocked = await report(stage, "restore", images, ["--isolate", ...options], how);
    expect([blocked.exit, [...new Set(blockers(blocked))]]).toEqual([3, [id]]);
    expect(finding(blocked, id).isolate).toBe("net");
    expect(blocked.plan.would_restore?.isolate).toEqual(["net"]);
    expect(blocked.plan.would_restore?.command).toEndWith("--isolate=net");
    expect(blocked.plan.would_restore?.command.match(/--isolate/g)).toHaveLength(1);
    const done = await report(stage, "restore", images, ["--isolate=net", ...options], how);
    expect(finding(done, id).remedy.kind).toBe("isolate");
    expect([done.exit, done.plan.isolate, done.plan.network]).toEqual([
      0,
      ["pid", "mount", "net"],
      "own",
    ]);
    expect(done.verdict).toMatchObject({ result: "match", not_compared: expect.any(Number) });
    const root = done.run!.pid!;
    expect(readlinkSync(`/proc/${root}/ns/net`)).not.toBe(readlinkSync("/proc/self/ns/net"));
    expect((await recriu(stage, ["verify", "-D", images])).exit).toBe(0);
    await end(stage, root);
  });

const links = () => readdirSync("/sys/class/net").filter((name) => name.startsWith("recriu"));

test("net:veth: this machine and the tree reach each other at the addresses that are told", async () => {
  await using stage = openStage();
  const src_port = freePort();
  const { images } = await withSocket(stage, { ...TCP, src_port, src_addr: [0] });
  await start(stage, "objects", ["tcp", `${src_port}`]);
  const done = await report(stage, "restore", images, ["--isolate=net:veth"]);
  expect([done.exit, done.plan.network, done.verdict?.result]).toEqual([0, "veth", "match"]);
  const { host, tree } = done.run!.network!;
  expect(links()).toEqual([host.device]);
  const connect = (to: string, port: number) => [
    "python3",
    "-c",
    `import socket; socket.create_connection(("${to}", ${port}), 5)`,
  ];
  expect(await run(stage, connect(tree.address, src_port))).toMatchObject({ exit: 0 });
  using server = Bun.listen({ hostname: host.address, port: 0, socket: { data() {} } });
  const root = done.run!.pid!;
  const back = await inside(stage, root, connect(host.address, server.port));
  expect(back).toMatchObject({ exit: 0 });
  // Not the one that listens on this machine.
  const told = await recriu(stage, ["restore", "-D", images, "--isolate=net:veth", "--dry-run"]);
  expect(told.stderr).toContain("network its own, with a pair to this machine");
  await end(stage, root);
  await waitFor("the pair to be gone", () => links().length === 0);
});

test("net:NAME: the network of that name is joined, and what is taken there blocks", async () => {
  // `ip netns` mounts on /run.
  await using stage = openStage({ ownState: true });
  const src_port = freePort();
  const { images } = await withSocket(stage, { ...TCP, src_port });
  await start(stage, "objects", ["tcp", `${src_port}`]);
  const option = [`--isolate=net:${NETWORK}`];
  const none = await recriu(stage, ["restore", "-D", images, ...option]);
  expect([none.exit, none.stderr]).toEqual([
    2,
    expect.stringContaining(`/run/netns/${NETWORK}: not a network that can be entered`),
  ]);
  expect((await run(stage, ["ip", "netns", "add", NETWORK])).exit).toBe(0);
  const down = await report(stage, "preflight", images, option);
  expect(down.exit).toBe(0);
  await run(stage, ["ip", "-n", NETWORK, "link", "set", "lo", "up"]);
  const done = await report(stage, "restore", images, option);
  expect([done.exit, done.plan.network, done.verdict?.result]).toEqual([
    0,
    { named: NETWORK },
    "match",
  ]);
  const root = done.run!.pid!;
  const own = await run(stage, ["ip", "netns", "identify", `${root}`]);
  expect(own.stdout.trim()).toBe(NETWORK);
  // The tree itself has the port there now; on this machine another has it.
  const second = await report(stage, "preflight", images, [...option, "--only=tcp-port-busy"]);
  expect([second.exit, blockers(second)]).toEqual([3, ["tcp-port-busy"]]);
  expect(finding(second, "tcp-port-busy").message).toContain(`process ${root} `);
  await end(stage, root);
});

test("a socket that is connected to an abstract name outside: in a network of its own there is none", async () => {
  await using stage = openStage();
  const name = `@recriu-outside-${process.pid}`;
  await start(stage, "objects", ["dgram", name]);
  const { images } = await startDumped(stage, "objects", ["connect", name], {
    dump: ["--ext-unix-sk"],
  });
  expect((await report(stage, "preflight", images)).exit).toBe(0);
  const apart = await report(stage, "restore", images, ["--isolate=net"]);
  expect([apart.exit, blockers(apart)]).toEqual([3, ["unix-peer-down"]]);
});

test("of a rehearsal auto takes a network, too: beside the tree that has the port", async () => {
  await using stage = openStage();
  const src_port = freePort();
  const { images } = await withSocket(stage, { ...TCP, src_port });
  await start(stage, "objects", ["tcp", `${src_port}`]);
  const done = await report(stage, "restore", images, ["--rehearse"]);
  expect([done.exit, done.plan.isolate, done.rehearsal]).toEqual([
    0,
    ["pid", "mount", "net"],
    { left: [] },
  ]);
  // CRIU was told to fail: its errors are no news of a rehearsal that went well.
  const { exit, stderr } = await recriu(stage, ["restore", "-D", images, "--rehearse"]);
  expect([exit, stderr]).toEqual([0, expect.stringContaining("rehearsed: it restores")]);
  expect(stderr).not.toMatch(/action script|Pre-resume/);
});
