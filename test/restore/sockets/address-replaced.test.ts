/** Addresses of the tree that are others here, in a network of the test's own: what it has is what the test gives it. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { NOBODYS, TCP, UDP, withConnection, withSocket } from "../inet.ts";
import { blockers, finding } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { openStage, type Stage, waitFor } from "../stage.ts";
import { bareUnder, reportUnder } from "../under.ts";

/** 192.0.2.9 and 2001:db8::9, of the kind of those that the images have. */
const HERE = ["192.0.2.9/32", "2001:db8::9/128"];

/** A network with these addresses, for as long as the stage. */
async function networkOf(stage: Stage, addresses: readonly string[] = HERE) {
  const holder = await stage.supervisor.spawn(["unshare", "--net", "sleep", "1000"], { cwd: "/" });
  const comm = () => readFileSync(`/proc/${holder.pid}/comm`, "utf8").trim();
  await waitFor("the network", () => comm() === "sleep");
  const under = ["nsenter", `--net=/proc/${holder.pid}/ns/net`];
  const ip = (words: string[]) => Bun.spawnSync([...under, "ip", ...words]).exitCode;
  expect(ip(["link", "set", "lo", "up"])).toBe(0);
  for (const address of addresses)
    expect(ip(["address", "add", address, "dev", "lo", "nodad"])).toBe(0);
  const sockets = () => Bun.spawnSync([...under, "ss", "-Htuna"]).stdout.toString();
  return { under, sockets };
}

/** 2001:db8::7, which no interface has. */
const NOBODYS6 = [0xb80d0120, 0, 0, 0x07000000];
const MAPPED = [0, 0, 0xffff0000, NOBODYS[0]!];
const ANY6 = [0, 0, 0, 0];

test("address-replaced: by itself where there is one of its kind", async () => {
  await using stage = openStage();
  const { under, sockets } = await networkOf(stage, [...HERE, "10.1.2.3/32"]);
  for (const isk of [TCP, UDP]) {
    const made = await withSocket(stage, { ...isk, src_port: 4711, src_addr: NOBODYS });
    await stageCheck({
      id: "address-replaced",
      stage,
      images: made.images,
      pid: made.pid,
      subject: "192.0.2.7",
      under,
      mend: "edited",
    });
  }
  const { images } = await withSocket(stage, { ...TCP, src_port: 4711, src_addr: NOBODYS });
  const done = await reportUnder(stage, under, "restore", images);
  expect(done.plan.edits).toMatchObject([{ field: "isk.src_addr.0", to: 0x090200c0 }]);
  expect(sockets()).toContain("192.0.2.9:4711");
  process.kill(done.run!.pid!, "SIGKILL");
});

test("of several recriu chooses none, and names them", async () => {
  await using stage = openStage();
  const { under, sockets } = await networkOf(stage, [...HERE, "198.51.100.9/32"]);
  const { images } = await withSocket(stage, { ...TCP, src_port: 4711, src_addr: NOBODYS });
  const told = await reportUnder(stage, under, "restore", images);
  expect([told.exit, blockers(told)]).toEqual([3, ["tcp-address-missing"]]);
  expect(finding(told, "tcp-address-missing").remedy.text).toContain(
    "at another of this machine (192.0.2.9, 198.51.100.9): --replace-ip=192.0.2.7=ADDRESS",
  );
  const option = "--replace-ip=192.0.2.7=198.51.100.9";
  const done = await reportUnder(stage, under, "restore", images, ["-d", option]);
  expect([done.exit, done.verdict?.result]).toEqual([0, "match"]);
  expect(finding(done, "address-replaced").severity).toBe("info");
  expect(sockets()).toContain("198.51.100.9:4711");
  process.kill(done.run!.pid!, "SIGKILL");
});

test("--replace-ip: IPv6, and IPv4 in sockets of IPv6", async () => {
  await using stage = openStage();
  const { under, sockets } = await networkOf(stage);
  for (const [src_addr, option, shown] of [
    [NOBODYS6, "2001:db8::7=2001:db8::9", "[2001:db8::9]:4711"],
    [MAPPED, "192.0.2.7=192.0.2.9", "[::ffff:192.0.2.9]:4711"],
  ] as const) {
    const isk = { ...TCP, family: 10, src_port: 4711, src_addr, dst_addr: ANY6 };
    const { images } = await withSocket(stage, isk);
    const words = ["-d", `--replace-ip=${option}`];
    const done = await reportUnder(stage, under, "restore", images, words);
    expect([done.exit, done.verdict?.result]).toEqual([0, "match"]);
    expect(sockets()).toContain(shown);
    process.kill(done.run!.pid!, "SIGKILL");
    await waitFor("the port to be free", () => !sockets().includes(":4711"));
  }
});

test("a connection to others cannot follow: recriu does not choose, and says so when it is asked", async () => {
  await using stage = openStage();
  const { under } = await networkOf(stage, [...HERE, "10.1.2.3/32"]);
  const made = await withConnection(stage, { src_addr: NOBODYS, dst_addr: [0x0302010a] });
  const words = ["-d", "--tcp-established"];
  const told = await reportUnder(stage, under, "restore", made.images, words);
  expect([told.exit, blockers(told)]).toEqual([3, ["tcp-address-missing"]]);
  expect((await bareUnder(stage, under, made.images, words)).exit).toBe(1);
  const asked = [...words, "--replace-ip=192.0.2.7=192.0.2.9"];
  const done = await reportUnder(stage, under, "restore", made.images, asked);
  expect(finding(done, "address-replaced")).toMatchObject({
    severity: "warning",
    message: expect.stringContaining("1 of the tree's connections are to others"),
  });
  expect(done.exit).toBe(0);
});

test("both ends of a connection within the tree get the address", async () => {
  await using stage = openStage();
  const { under } = await networkOf(stage);
  const made = await withConnection(stage, { src_addr: NOBODYS, dst_addr: NOBODYS });
  const told = await reportUnder(stage, under, "preflight", made.images, [
    "--tcp-established",
    "--replace-ip=192.0.2.7=192.0.2.9",
  ]);
  expect(told.plan.edits.map(({ field }) => field)).toEqual(["isk.src_addr.0", "isk.dst_addr.0"]);
});
