/** IP sockets. CRIU 4.1.1 cannot dump them on Linux 6.18 (`Can't get 1:16 opt`), but it restores them: the images are edited ones. */
import { startDumped } from "./stage/dumped.ts";
import { afterAll, expect, test } from "bun:test";
import { existsSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { restored, stageCheck } from "./stage-check.ts";
import {
  FD_PACKETSK,
  freePort,
  LOCALHOST,
  NOBODYS,
  TCP,
  turn,
  UDP,
  withConnection,
  withSocket,
} from "./inet.ts";
import { blockers, finding, report } from "./report.ts";
import { killTree, openStage, restoreBare, run, start, waitFor } from "./stage.ts";
import { typed } from "./typed.ts";
import { setting } from "./stage/sysctl.ts";

/** What a test that fails may leave on this machine. */
afterAll(() => {
  for (const words of [
    ["link", "del", "recriu-none0"],
    ["link", "del", "recriu-none1"],
    ["address", "del", "192.0.2.7/32", "dev", "lo"],
  ])
    Bun.spawnSync(["ip", ...words]);
});

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
    const other = await start(stage, "objects", ["tcp", String(port)]);
    const named = await stageCheck({
      id: "tcp-port-busy",
      stage,
      images,
      pid,
      subject: `TCP ${src_addr === LOCALHOST ? "127.0.0.1" : "0.0.0.0"}:${port}`,
      mend: "typed",
    });
    expect(named.remedy.command).toBe(`kill ${other.pid}`);
  }
});

test("tcp-port-busy: a listener that shares its port would get half of the connections", async () => {
  await using stage = openStage();
  const port = freePort();
  const other = await start(stage, "objects", ["reuse-tcp", String(port)]);
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
  await start(stage, "objects", ["udp", String(port)]);
  await stageCheck({
    id: "udp-port-busy",
    stage,
    images,
    pid,
    subject: `UDP 127.0.0.1:${port}`,
    mend: "typed",
  });
  const sharing = await start(stage, "objects", ["reuse-udp", String(port)]);
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
    const named = await stageCheck({
      id: "tcp-address-missing",
      stage,
      images,
      pid,
      subject: "192.0.2.7",
      // Where this machine has one other of its kind, recriu would take that.
      env: { RECRIU_FIX: "none" },
      mend: "typed",
    });
    const device = /^ip address add 192\.0\.2\.7\/32 dev (\S+)$/.exec(named.remedy.command!)![1]!;
    await run(stage, ["ip", "address", "del", "192.0.2.7/32", "dev", device]);
  }
});

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
  expect((await typed(stage, preflight, "tcp-established")).exit).toBe(0);
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
  await stageCheck({
    id: "tcp-stream-missing",
    stage,
    images,
    pid,
    subject: finding(preflight, "tcp-stream-missing").subject,
    options: ["--tcp-established"],
    mend: "typed",
  });
});

test("tcp-address-missing: a connection from an address that is not here", async () => {
  await using stage = openStage();
  const { pid, images } = await withConnection(stage, { src_addr: NOBODYS });
  await stageCheck({
    id: "tcp-address-missing",
    stage,
    images,
    pid,
    subject: "192.0.2.7",
    options: ["--tcp-established"],
    mend: ["--tcp-close"],
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
  const named = await stageCheck({
    id: "tcp-connection-busy",
    stage,
    images,
    pid,
    subject: `127.0.0.1:${src_port} - 127.0.0.1:${dst_port}`,
    options: ["--tcp-established"],
    mend: ["--tcp-close"],
  });
  expect(named.remedy.command).toBe(`kill ${other.pid} && sleep 61`);
  const options = ["--tcp-established"];
  const told = await report(stage, "preflight", images, options);
  const minute = { options, timeout: 90_000 };
  expect((await typed(stage, told, "tcp-connection-busy", minute)).exit).toBe(0);
  await restored(stage, images, { options });
}, 180_000);

test("net-device-missing: by name and by number", async () => {
  await using stage = openStage();
  const opts = { so_bound_dev: "recriu-none0" };
  const bound = await withSocket(stage, { ...UDP, src_port: freePort(), opts });
  await stageCheck({
    id: "net-device-missing",
    stage,
    images: bound.images,
    pid: bound.pid,
    subject: "recriu-none0",
    mend: "typed",
  });
  await run(stage, ["ip", "link", "del", "recriu-none0"]);

  const name = join(stage.dir, "packets");
  const { pid, images } = await startDumped(stage, "objects", ["dgram", name]);
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
  await stageCheck({
    id: "net-device-missing",
    stage,
    images,
    pid,
    subject: "77777",
    mend: "typed",
  });
  const { stdout } = await run(stage, ["ip", "-o", "link"]);
  const made = /^77777: ([\w-]+)/m.exec(stdout)![1]!;
  await run(stage, ["ip", "link", "del", made]);
});

test("ping-group-range: on this machine, and in a namespace that is joined", async () => {
  await using stage = openStage();
  const PING = { type: 2, proto: 1, state: 7, src_port: 0 };
  const { pid, images } = await withSocket(stage, PING);
  const range = "net/ipv4/ping_group_range";
  {
    using _ = setting(range, "1 0");
    const named = await stageCheck({
      id: "ping-group-range",
      stage,
      images,
      pid,
      subject: "this machine",
      mend: "typed",
    });
    expect(named.remedy.command).toBe("sysctl -w net.ipv4.ping_group_range='0 2147483647'");
    expect((await report(stage, "preflight", images)).findings).toEqual([]);
  }
  using _ = setting(range, "0 2147483647");
  // One that begins as all do.
  const other = await stage.supervisor.spawn(["unshare", "--net", "sleep", "1000"], { cwd: "/" });
  await waitFor("the other network", () => {
    const network = (of: string) => readlinkSync(`/proc/${of}/ns/net`);
    return network(`${other.pid}`) !== network("self");
  });
  const file = `/proc/${other.pid}/ns/net`;
  const options = ["--join-ns", `net:${file}`];
  const joined = await stageCheck({
    id: "ping-group-range",
    stage,
    images,
    pid,
    options,
    subject: `the namespace ${file}`,
    mend: "typed",
  });
  expect(joined.message).toContain("no group at all");
  const gone = ["--join-ns", `net:${stage.dir}/none`];
  for (const target of [gone, ["--join-ns", "net:65530"], ["--join-ns", `net:${other.pid}`]]) {
    const named = await report(stage, "preflight", images, target);
    const number = Number(target[1]!.slice(4));
    if (number <= 65535 && existsSync(`/proc/${number}`)) continue;
    expect(blockers(named)).toContain("join-ns-missing");
    const { criu_message } = finding(named, "join-ns-missing");
    const bare = await restoreBare(stage, images, target);
    expect(bare.exit).toBe(1);
    expect(bare.stderr + bare.stdout).toContain(criu_message!);
    if (number !== other.pid) continue;
    expect((await typed(stage, named, "join-ns-missing")).exit).toBe(0);
    await killTree(stage, pid);
  }
  await restored(stage, images);
});
