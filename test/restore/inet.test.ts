/**
 * IP sockets. CRIU 4.1.1 cannot dump them on Linux 6.18 (`Can't get 1:16 opt`), but it restores them: the images are those of a
 * Unix socket, made into an IP socket's. The last test needs no such thing, but a newer CRIU.
 */
import { afterAll, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { image } from "../image/fixture.ts";
import { edit } from "./edit.ts";
import { foretold } from "./foretold.ts";
import { blockers, finding, report } from "./report.ts";
import { criu, dump, killTree, openStage, restoreBare, run, type Stage, start } from "./stage.ts";

const TCP = { type: 1, proto: 6, state: 10 };
const UDP = { type: 2, proto: 17, state: 7 };
const LOCALHOST = [0x0100007f];
/** 192.0.2.7, which nobody has (RFC 5737). */
const NOBODYS = [0x070200c0];
const FD_INETSK = 4;
const FD_PACKETSK = 10;
const INODE = 0xabcdef;

/** What a test that fails may leave on this machine. */
afterAll(() => {
  for (const words of [
    ["link", "del", "recriu-none0"],
    ["link", "del", "recriu-none1"],
    ["address", "del", "192.0.2.7/32", "dev", "lo"],
  ])
    Bun.spawnSync(["ip", ...words]);
});

/** A port that nobody has now. */
function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

/** Make the one Unix socket of the images into another socket. */
function turn(images: string, type: number, field: string, make: (usk: any) => object): void {
  let id: number;
  edit(images, "files.img", (files) => {
    const file = files.find(({ usk }) => usk !== undefined);
    const { usk } = file;
    delete usk.opts.so_passcred;
    delete usk.opts.so_passsec;
    delete file.usk;
    id = file.id;
    Object.assign(file, { type, [field]: make(usk) });
  });
  const [fdinfo] = [...new Bun.Glob("fdinfo-*.img").scanSync(images)];
  edit(images, fdinfo!, (fds) => {
    fds.find((fd) => fd.id === id).type = type;
  });
}

/** Images of a task with one IP socket. */
async function withSocket(stage: Stage, isk: Record<string, unknown>) {
  const name = join(stage.dir, `socket-${++stage.count}`);
  const { pid } = await start(stage, "things", ["dgram", name]);
  const images = await dump(stage, pid, ["--network-lock=nftables"]);
  rmSync(name);
  turn(images, FD_INETSK, "isk", ({ id, fown, opts, ns_id }) => ({
    id,
    fown,
    ns_id,
    ino: INODE,
    family: 2,
    flags: 2,
    backlog: 8,
    dst_port: 0,
    src_addr: LOCALHOST,
    dst_addr: [0],
    ...isk,
    opts: { ...opts, ...(isk["opts"] as object) },
  }));
  return { pid, images };
}

/** A connection to a port of this machine, as images have it. */
async function withConnection(stage: Stage, isk: Record<string, unknown> = {}) {
  const ports = { src_port: freePort(), dst_port: freePort() };
  const connection = { ...TCP, state: 1, ...ports, dst_addr: LOCALHOST, ...isk };
  const made = await withSocket(stage, connection);
  const stream = {
    inq_len: 0,
    inq_seq: 7,
    outq_len: 0,
    outq_seq: 9,
    unsq_len: 0,
    opt_mask: 0,
    snd_wscale: 0,
    mss_clamp: 1460,
  };
  const file = join(made.images, `tcp-stream-${INODE.toString(16)}.img`);
  writeFileSync(file, image("tcp-stream-abcdef.img", [stream]));
  return { ...made, ...ports, file };
}

test("no fault, no finding", async () => {
  await using stage = openStage();
  for (const isk of [
    { ...TCP, src_port: freePort() },
    { ...UDP, src_port: freePort() },
    { ...TCP, family: 10, src_addr: [0, 0, 0, 0], dst_addr: [0, 0, 0, 0], src_port: freePort() },
    // Of IPv6, CRIU binds to addresses that are not there.
    { ...UDP, family: 10, src_addr: [0xb80d0120, 0, 0, 1], dst_addr: [0, 0, 0, 0], src_port: 5151 },
  ]) {
    const { pid, images } = await withSocket(stage, isk);
    expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
    await killTree(stage, pid);
  }
});

test("tcp-port-busy", async () => {
  await using stage = openStage();
  const port = freePort();
  for (const src_addr of [LOCALHOST, [0]]) {
    const { pid, images } = await withSocket(stage, { ...TCP, src_port: port, src_addr });
    const other = await start(stage, "things", ["tcp", String(port)]);
    const named = await foretold(stage, {
      id: "tcp-port-busy",
      images,
      pid,
      subject: `TCP ${src_addr === LOCALHOST ? "127.0.0.1" : "0.0.0.0"}:${port}`,
      mend: () => killTree(stage, other.pid),
    });
    expect(named.remedy.command).toBe(`kill ${other.pid}`);
  }
});

test("tcp-port-busy: a listener that shares its port would get half of the connections", async () => {
  await using stage = openStage();
  const port = freePort();
  const other = await start(stage, "things", ["reuse-tcp", String(port)]);
  const { pid, images } = await withSocket(stage, { ...TCP, src_port: port });
  const before = await report(stage, "preflight", images);
  expect(finding(before, "tcp-port-busy")).toMatchObject({
    severity: "blocker",
    criu_message: null,
  });
  expect((await restoreBare(stage, images)).exit).toBe(0);
  await killTree(stage, pid);
  // One that was saved as sharing is meant to.
  const worker = await withSocket(stage, { ...TCP, src_port: port, opts: { so_reuseport: true } });
  expect((await report(stage, "restore", worker.images)).findings).toEqual([]);
  await killTree(stage, worker.pid);
  await killTree(stage, other.pid);
  expect((await report(stage, "preflight", images)).findings).toEqual([]);
});

test("udp-port-busy", async () => {
  await using stage = openStage();
  const port = freePort();
  const { pid, images } = await withSocket(stage, { ...UDP, src_port: port });
  const other = await start(stage, "things", ["udp", String(port)]);
  await foretold(stage, {
    id: "udp-port-busy",
    images,
    pid,
    subject: `UDP 127.0.0.1:${port}`,
    mend: () => killTree(stage, other.pid),
  });
  const sharing = await start(stage, "things", ["reuse-udp", String(port)]);
  expect(finding(await report(stage, "preflight", images), "udp-port-busy")).toMatchObject({
    severity: "blocker",
    criu_message: null,
  });
  expect((await restoreBare(stage, images)).exit).toBe(0);
  await killTree(stage, pid);
  await killTree(stage, sharing.pid);
});

test("tcp-address-missing: a listener and a UDP socket", async () => {
  await using stage = openStage();
  for (const isk of [TCP, UDP]) {
    const src_port = freePort();
    const { pid, images } = await withSocket(stage, { ...isk, src_port, src_addr: NOBODYS });
    const named = await foretold(stage, {
      id: "tcp-address-missing",
      images,
      pid,
      subject: "192.0.2.7",
      mend: () => withAddress(stage),
    });
    await run(stage, ["ip", "address", "del", "192.0.2.7/32", "dev", "lo"]);
    expect(named.remedy.command).toContain("ip address add 192.0.2.7/32 dev ");
  }
});

/** On the loopback interface, where it disturbs nobody. */
async function withAddress(stage: Stage): Promise<void> {
  const { stderr } = await run(stage, ["ip", "address", "add", "192.0.2.7/32", "dev", "lo"]);
  expect(stderr).toBe("");
}

test("tcp-established: the option is added, or --tcp-close taken at its word", async () => {
  await using stage = openStage();
  const { pid, images, src_port, dst_port } = await withConnection(stage);
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["tcp-established"]);
  const named = finding(preflight, "tcp-established");
  expect(named.subject).toBe(`127.0.0.1:${src_port} - 127.0.0.1:${dst_port}`);
  expect(preflight.plan).toMatchObject({ outcome: "ready", options: ["--tcp-established"] });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(named.criu_message!);

  expect((await report(stage, "restore", images)).exit).toBe(0);
  await killTree(stage, pid);
  expect((await report(stage, "preflight", images, ["--tcp-close"])).findings).toEqual([]);
  const refused = await report(stage, "preflight", images, ["--no-tcp-established"]);
  expect([refused.exit, refused.plan.options]).toEqual([3, []]);
});

test("tcp-stream-missing: without its state a connection can only be closed", async () => {
  await using stage = openStage();
  const { pid, images, file } = await withConnection(stage);
  rmSync(file);
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["tcp-stream-missing"]);
  expect(preflight).toMatchObject({ exit: 3, plan: { options: [] } }); // offered, never taken
  await foretold(stage, {
    id: "tcp-stream-missing",
    images,
    pid,
    subject: finding(preflight, "tcp-stream-missing").subject,
    options: ["--tcp-established"],
    remedy: ["--tcp-close"],
  });
});

test("tcp-address-missing: a connection from an address that is not here", async () => {
  await using stage = openStage();
  const { pid, images } = await withConnection(stage, { src_addr: NOBODYS });
  await foretold(stage, {
    id: "tcp-address-missing",
    images,
    pid,
    subject: "192.0.2.7",
    options: ["--tcp-established"],
    remedy: ["--tcp-close"],
  });
});

test("tcp-connection-busy: the program that was dumped runs on, or a copy of it", async () => {
  await using stage = openStage();
  const dst_port = freePort();
  const words = [String(dst_port), "pair", join(stage.dir, "progress")];
  const other = await start(stage, "tcp", words);
  const { stdout } = await run(stage, ["ss", "-Htn", `dport = :${dst_port}`]);
  const src_port = Number(/127\.0\.0\.1:(\d+) /.exec(stdout)![1]);
  const { pid, images } = await withConnection(stage, { src_port, dst_port });
  const named = await foretold(stage, {
    id: "tcp-connection-busy",
    images,
    pid,
    subject: `127.0.0.1:${src_port} - 127.0.0.1:${dst_port}`,
    options: ["--tcp-established"],
    remedy: ["--tcp-close"],
  });
  expect(named.remedy.command).toBe(`kill ${other.pid}`);
});

test("net-device-missing: by name and by number", async () => {
  await using stage = openStage();
  const opts = { so_bound_dev: "recriu-none0" };
  const bound = await withSocket(stage, { ...UDP, src_port: freePort(), opts });
  const addDevice = async (words: string[]) => {
    const veth = ["type", "veth", "peer", "name", "recriu-peer"];
    expect((await run(stage, ["ip", "link", "add", ...words, ...veth])).stderr).toBe("");
  };
  await foretold(stage, {
    id: "net-device-missing",
    images: bound.images,
    pid: bound.pid,
    subject: "recriu-none0",
    mend: () => addDevice(["recriu-none0"]),
  });
  await run(stage, ["ip", "link", "del", "recriu-none0"]);

  const name = join(stage.dir, "packets");
  const { pid } = await start(stage, "things", ["dgram", name]);
  const images = await dump(stage, pid);
  turn(images, FD_PACKETSK, "psk", ({ id, fown, opts: saved, ns_id }) => ({
    id,
    fown,
    opts: saved,
    ns_id,
    type: 3,
    protocol: 0,
    flags: 2,
    ifindex: 77777,
    version: 0,
    reserve: 0,
    aux_data: false,
    orig_dev: false,
    vnet_hdr: false,
    loss: false,
    timestamp: 0,
    copy_thresh: 0,
    mclist: [],
  }));
  await foretold(stage, {
    id: "net-device-missing",
    images,
    pid,
    subject: "77777",
    mend: () => addDevice(["recriu-none1", "index", "77777"]),
  });
  await run(stage, ["ip", "link", "del", "recriu-none1"]);
});

/** CRIU 4.2 does without the option of sockets that Linux 6.16 took from IP sockets. */
const [, major, minor] = /Version: (\d+)\.(\d+)/.exec(
  Bun.spawnSync([criu, "--version"]).stdout.toString(),
)!;
const canDump = Number(major) * 100 + Number(minor) >= 402;

// Needs a CRIU that can dump TCP sockets on every kernel: RECRIU_CRIU=… one from 4.2 on.
test.skipIf(!canDump)("real TCP connections, dumped and restored", async () => {
  await using stage = openStage();
  const port = freePort();
  const words = [String(port), "pair", join(stage.dir, "progress")];
  const { pid } = await start(stage, "tcp", words);
  const images = await dump(stage, pid, ["--tcp-established", "--network-lock=nftables"]);
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["tcp-established"]);
  const bare = await restoreBare(stage, images);
  expect([bare.exit, bare.log]).toEqual([
    1,
    expect.stringContaining(finding(preflight, "tcp-established").criu_message!),
  ]);
  expect(await report(stage, "restore", images)).toMatchObject({
    exit: 0,
    verdict: { result: "match" },
  });
  await killTree(stage, pid);
});
