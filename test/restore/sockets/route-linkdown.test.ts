import { NEWNET } from "../namespaces.ts";
import { report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { dump, killTree, openStage, run, type Stage, start } from "../stage.ts";
import { expect, test } from "bun:test";

async function inNet(stage: Stage, pid: number, ...commands: string[]): Promise<string> {
  const words = ["nsenter", "-t", `${pid}`, "-n", "sh", "-c", commands.join(" && ")];
  const done = await run(stage, words);
  expect(done).toMatchObject({ exit: 0 });
  return done.stdout;
}

/** A task in a network with two veth pairs, both ends of each in it, and routes over them. */
async function startInNet(stage: Stage): Promise<number> {
  const { pid } = await start(stage, "kernel", ["unshare", NEWNET]);
  for (const n of [1, 2])
    await inNet(
      stage,
      pid,
      `ip link add far${n} type veth peer name near${n}`,
      `ip address add 10.9.${n}.1/24 dev near${n}`,
      `ip address add fd00:9:${n}::1/64 dev near${n} nodad`,
      `ip link set far${n} up`,
      `ip link set near${n} up`,
    );
  await inNet(
    stage,
    pid,
    "ip route add default via 10.9.1.2",
    "ip route add 10.20.0.0/16 nexthop via 10.9.1.2 nexthop via 10.9.2.2",
    "ip -6 route add fd00:20::/64 via fd00:9:1::2",
  );
  return pid;
}

const dumped = (stage: Stage, pid: number) => dump(stage, pid, ["--network-lock=nftables"]);

test("route-linkdown: routes over a veth whose far end is down", async () => {
  await using stage = openStage();
  const pid = await startInNet(stage);
  await restores(stage, await dumped(stage, pid));
  await inNet(
    stage,
    pid,
    "ip link set far1 down",
    "until ip route show default | grep linkdown; do sleep 0.1; done",
  );
  const routes = () => inNet(stage, pid, "ip route", "ip -6 route show fd00:20::/64");
  const before = await routes();
  expect(before).toMatch(/nexthop via 10\.9\.1\.2 dev near1 weight 1 linkdown/);
  const images = await dumped(stage, pid);
  await stageCheck({ id: "route-linkdown", stage, images, mend: "edited" });
  const { plan } = await report(stage, "restore", images);
  // The kernel looks at links once a second: the route of the address gets its flag then.
  const limit = Date.now() + 5_000;
  while ((await routes()) !== before && Date.now() < limit) await Bun.sleep(100);
  expect(await routes()).toBe(before);
  // Three routes of IPv4, of which one has two ways.
  expect(plan.edits.map(({ field, from, to }) => [field, from, to])).toEqual([
    ["rtm_flags", 16, 0],
    ["rtm_flags", 16, 0],
    ["rta_multipath.0.rtnh_flags", 16, 0],
  ]);
  await killTree(stage, pid);
});

test("route-linkdown: a way over a veth that is down itself is a person's", async () => {
  await using stage = openStage();
  const pid = await startInNet(stage);
  await inNet(stage, pid, "ip link set near1 down");
  const images = await dumped(stage, pid);
  const { remedy } = await stageCheck({ id: "route-linkdown", stage, images });
  expect(remedy).toMatchObject({
    kind: "human",
    text: "dump again with near1 up, or without those routes",
  });
});

test("route-linkdown: a tree that came back by --external veth[…] is dumped before the far end is up", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "kernel", ["unshare", NEWNET]);
  const far = `rq${pid}`;
  const pair = `ip link add ${far} type veth peer name eth0 netns ${pid} && ip link set ${far} up`;
  expect(await run(stage, ["sh", "-c", pair])).toMatchObject({ exit: 0 });
  await inNet(stage, pid, "ip address add 10.9.3.1/24 dev eth0", "ip link set eth0 up");
  const options = ["--external", `veth[eth0]:${far}`];
  // The kernel takes the pair apart when the tree's network is, which may be later than the tree's end.
  await restores(stage, await dumped(stage, pid), { options: [...options, "--wait=10"] });
  await inNet(stage, pid, "until ip route | grep linkdown; do sleep 0.1; done");
  const images = await dumped(stage, pid);
  const gone = `while ip link show ${far} >/dev/null 2>&1; do sleep 0.1; done`;
  expect(await run(stage, ["sh", "-c", gone])).toMatchObject({ exit: 0 });
  await stageCheck({ id: "route-linkdown", stage, images, options, mend: "edited" });
});
