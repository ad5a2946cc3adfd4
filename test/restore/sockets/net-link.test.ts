import { changed, dumpInNet, dumpInUser, NEWNET } from "../namespaces.ts";
import { finding, report } from "../report.ts";
import { restored, stageCheck } from "../stage-check.ts";
import {
  criu,
  dump,
  killTree,
  openStage,
  recriuBinary,
  restoreBare,
  run,
  type Stage,
  start,
  waitFor,
} from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { chmodSync, existsSync, statSync } from "node:fs";
import { release } from "node:os";

/** A restore with what a finding tells to type, word for word; exit code. */
async function typedOption(
  stage: Stage,
  images: string,
  command: string | null,
): Promise<number | null> {
  const words = `exec "$0" restore -d -D "$1" --criu="$2" ${command}`;
  return (await run(stage, ["sh", "-c", words, recriuBinary, images, criu])).exit;
}

/** A task in a network of its own with one end of a veth pair, which is made there (its number is low) or moved there. */
async function dumpWithVeth(stage: Stage, moved: boolean) {
  const { pid } = await start(stage, "kernel", ["unshare", NEWNET]);
  const [outer, inner] = [`rq${pid}`, moved ? `rp${pid}` : "eth0"];
  const made = moved
    ? `ip link add ${outer} type veth peer name ${inner} && ip link set ${inner} netns ${pid} name eth0`
    : `ip link add ${outer} type veth peer name eth0 netns ${pid}`;
  const up = `ip link set ${outer} up && nsenter -t ${pid} -n ip link set eth0 up`;
  expect(await run(stage, ["sh", "-c", `${made} && ${up}`])).toMatchObject({ exit: 0 });
  return { pid, images: await dump(stage, pid, ["--network-lock=nftables"]) };
}

test("net-link: the parent of a macvlan, the far end of a veth pair", async () => {
  await using stage = openStage();
  const { images } = await dumpInNet(stage);
  const macvlan = changed(stage, images, "macvlan", /^netdev/, ([lo]) => (lo.type = 7));
  const named = await stageCheck({ id: "net-link", stage, images: macvlan, among: true });
  expect(named.remedy.command).toBe("--external 'macvlan[lo]:DEVICE'");
  const veth = changed(stage, images, "veth", /^netdev/, ([device]) => {
    Object.assign(device, { type: 2, ifindex: 7, name: "eth0" });
  });
  const busy = await stageCheck({
    id: "net-link",
    stage,
    images: veth,
    options: ["--external", "veth[eth0]:lo"],
    among: true,
  });
  expect(busy.message).toContain("this machine has a device of that name");
  await restored(stage, images);
});

test("net-link: a veth pair whose far end no option names", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpWithVeth(stage, false);
  const named = await stageCheck({ id: "net-link", stage, images, among: true });
  expect(named).toMatchObject({ subject: "eth0", criu_message: "Unknown peer net namespace" });
  expect(named.remedy.command).toMatch(/^--external 'veth\[eth0\]:veth\d+'$/);
  const told = await report(stage, "preflight", images);
  expect((await typed(stage, told, "net-link")).exit).toBe(0);
  await killTree(stage, pid);
  const bridge = ["--external", "veth[eth0]:rqfar@rqnone"];
  const nowhere = await stageCheck({ id: "net-link", stage, images, options: bridge, among: true });
  expect(nowhere.message).toContain("no bridge of that name");
  await run(stage, ["ip", "link", "add", "rqnone", "type", "bridge"]);
  try {
    await restored(stage, images, { options: bridge });
    await killTree(stage, pid);
  } finally {
    await run(stage, ["ip", "link", "delete", "dev", "rqnone"]);
  }
  // In another network, whose interfaces this machine's /sys does not show.
  const words = `ip link set lo up && ip link add rqnone type bridge && exec "$0" restore -d -D "$1" --criu="$2" ${bridge.join(" ")}`;
  const command = ["unshare", "-n", "sh", "-c", words, recriuBinary, images, criu];
  const elsewhere = await run(stage, command);
  expect(elsewhere).toMatchObject({ exit: 0 });
  expect(elsewhere.stderr).not.toContain("net-link");
  await killTree(stage, pid);
});

test("net-link: CRIU makes both ends in the tree where their numbers allow it, and says that it is restored", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpWithVeth(stage, true);
  const preflight = await report(stage, "preflight", images);
  expect(preflight.findings).toMatchObject([{ id: "net-link", severity: "warning" }]);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(0);
  expect(bare.log).toContain("Unknown peer net namespace");
  const devices = await run(stage, ["nsenter", "-t", `${pid}`, "-n", "ip", "-o", "link"]);
  expect(devices.stdout.trim().split("\n").length).toBe(3);
  await killTree(stage, pid);
  expect(await typedOption(stage, images, preflight.findings[0]!.remedy.command)).toBe(0);
  const right = await run(stage, ["nsenter", "-t", `${pid}`, "-n", "ip", "-o", "link"]);
  expect(right.stdout.trim().split("\n").length).toBe(2);
  await killTree(stage, pid);
});

/** Other kernels were not seen to ask for rights over the network of a pair's far end. */
const asksForRights = /^6\.1[89]\./.test(release());

test("net-link: in a user namespace no far end can be put outside, but an end moved in", async () => {
  await using stage = openStage();
  const { images, options } = await dumpInUser(stage, (init) => [
    "sh",
    "-c",
    `ip link add rq${init} type veth peer name eth0 netns ${init} && nsenter -t ${init} -n ip link set lo up`,
  ]);
  const given = [...options, "--external", "veth[eth0]:rqfar2"];
  const { command } = (
    asksForRights
      ? await stageCheck({ id: "net-link", stage, images, options: given, among: true })
      : await passes()
  ).remedy;
  async function passes() {
    const named = finding(await report(stage, "preflight", images, given), "net-link");
    expect(named.severity).toBe("warning");
    await killTree(stage, await restored(stage, images, { options: given }));
    await waitFor("the pair to be gone", () => !existsSync("/sys/class/net/rqfar2"));
    return named;
  }
  const told = /^ip link add rqfar2 type veth peer name (\S+) && recriu restore (.*)$/.exec(
    command!,
  )!;
  const words = `ip link add rqfar2 type veth peer name ${told[1]} && exec "$0" restore -d --criu="$1" ${told[2]}`;
  expect(await run(stage, ["sh", "-c", words, recriuBinary, criu])).toMatchObject({ exit: 0 });
  const missing = ["--external", "netdev[eth0]:rqnothere"];
  expect(
    (
      await stageCheck({
        id: "net-link",
        stage,
        images,
        options: [...options, ...missing],
        among: true,
      })
    ).message,
  ).toContain("rqnothere, which this machine does not have");
});

test("net-link: in a user namespace /dev/net/tun is opened as its root", async () => {
  await using stage = openStage();
  const device = "/dev/net/tun";
  const { mode } = statSync(device);
  const { images, options } = await dumpInUser(stage, (init) => [
    "nsenter",
    "-n",
    "-t",
    `${init}`,
    "ip",
    "tuntap",
    "add",
    "dev",
    "tun0",
    "mode",
    "tun",
  ]);
  try {
    chmodSync(device, 0o600);
    const named = await stageCheck({ id: "net-link", stage, images, options, among: true });
    expect(named).toMatchObject({
      subject: "tun0",
      criu_message: "tun: Can't open tun device: Permission denied",
      remedy: { command: "chmod 0666 /dev/net/tun" },
    });
    chmodSync(device, 0o666);
    await restored(stage, images, { options });
  } finally {
    chmodSync(device, mode);
  }
});
