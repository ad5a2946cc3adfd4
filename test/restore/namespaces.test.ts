/** Namespaces of the tree, and the network in one of its own. */
import { expect, test } from "bun:test";
import { cpSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { edit } from "./edit.ts";
import { predicted, restored } from "./predicted.ts";
import { blockers, report } from "./report.ts";
import {
  criu,
  descendants,
  dump,
  killTree,
  openStage,
  restoreBare,
  run,
  type Stage,
  start,
} from "./stage.ts";
import { typed } from "./typed.ts";

const NEWNET = "40000000";

/** A task in a network namespace of its own; no iptables is needed to dump it. */
async function dumpInNet(stage: Stage) {
  const { pid } = await start(stage, "kernel", ["unshare", NEWNET]);
  return { pid, images: await dump(stage, pid, ["--network-lock=nftables"]) };
}

function changed(
  stage: Stage,
  images: string,
  name: string,
  file: RegExp,
  change: (values: any[]) => void,
) {
  const copy = join(stage.dir, name);
  cpSync(images, copy, { recursive: true });
  edit(
    copy,
    readdirSync(copy).find((entry) => file.test(entry))!,
    change,
  );
  return copy;
}

test("net-tools-missing: ip is looked for as CRIU looks for it", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpInNet(stage);
  const without = { env: { CR_IP_TOOL: join(stage.dir, "ip") } };
  const named = await predicted(stage, images, "net-tools-missing", [], without);
  expect(named.subject).toBe(join(stage.dir, "ip"));
  // Where the namespace stays empty nothing of it is needed.
  await restored(stage, images, ["--empty-ns", "net"], without);
  await killTree(stage, pid);
  await restored(stage, images);
});

test("net-tools-missing: an empty namespace is locked with iptables where the dump was", async () => {
  await using stage = openStage();
  const { images } = await dumpInNet(stage);
  const locked = changed(stage, images, "locked", /^inventory/, ([inventory]) => {
    inventory.network_lock_method = 0;
  });
  const empty = ["--empty-ns", "net"];
  if (Bun.which("iptables-restore") === null) {
    const named = await predicted(stage, locked, "net-tools-missing", empty);
    expect(named).toMatchObject({ subject: "iptables-restore", image: "inventory.img" });
  }
  await restored(stage, images, empty);
});

test("external-netns: handed over as a descriptor", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpInNet(stage);
  const external = changed(stage, images, "external", /^netns/, ([netns]) => {
    netns.ext_key = "outside";
  });
  const named = await predicted(stage, external, "external-netns");
  expect(named.remedy.command).toContain("--inherit-fd 'fd[9]:outside' 9</run/netns/NAME");
  const given = ["restore", "-d", "-D", external, "-W", stage.dir, "--inherit-fd", "fd[9]:outside"];
  // A namespace of which nothing but this descriptor is left, and CRIU in the one it was started in.
  const back = ["nsenter", `--net=/proc/${process.pid}/ns/net`, criu, ...given];
  const inside = [
    "unshare",
    "--net",
    "sh",
    "-c",
    'exec 9</proc/self/ns/net && exec "$@"',
    "sh",
    ...back,
  ];
  expect((await run(stage, inside)).exit).toBe(0);
  await killTree(stage, pid);
  const name = basename(stage.dir);
  expect((await run(stage, ["ip", "netns", "add", name])).exit).toBe(0);
  try {
    const told = await report(stage, "preflight", external, ["-d"]);
    const done = await typed(stage, told, "external-netns", { fill: { NAME: name } });
    expect(done.exit).toBe(0);
    await killTree(stage, pid);
  } finally {
    await run(stage, ["ip", "netns", "delete", name]);
  }
});

test("net-link: the parent of a macvlan, the far end of a veth pair", async () => {
  await using stage = openStage();
  const { images } = await dumpInNet(stage);
  const macvlan = changed(stage, images, "macvlan", /^netdev/, ([lo]) => (lo.type = 7));
  const named = await predicted(stage, macvlan, "net-link");
  expect(named.remedy.command).toBe("--external 'macvlan[lo]:DEVICE'");
  const veth = changed(stage, images, "veth", /^netdev/, ([device]) => {
    Object.assign(device, { type: 2, ifindex: 7, name: "eth0" });
  });
  const busy = await predicted(stage, veth, "net-link", ["--external", "veth[eth0]:lo"]);
  expect(busy.message).toContain("this machine has a device of that name");
  await restored(stage, images);
});

test("nested-namespace: a child with a namespace that its parent has not", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "kernel", ["owner"]);
  const [child] = descendants(pid);
  const images = await dump(stage, pid);
  const nested = changed(stage, images, "nested", new RegExp(`^ids-${child!.pid}`), ([ids]) => {
    ids.uts_ns_id = 99;
  });
  expect(await predicted(stage, nested, "nested-namespace")).toMatchObject({
    task: child!.pid,
    subject: "uts",
  });
  await restored(stage, images);
});

test("namespace-file: an open namespace that nobody of the tree lives in", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "kernel", ["open", "/proc/self/ns/uts"]);
  const images = await dump(stage, pid);
  expect(blockers(await report(stage, "preflight", images))).toEqual([]);
  const stray = changed(stage, images, "stray", /^files/, (files) => {
    for (const { nsf } of files) if (nsf) nsf.ns_id = 99;
  });
  const named = await predicted(stage, stray, "namespace-file");
  expect(named.task).toBe(pid);
  expect(await restored(stage, images)).toBe(pid);
});

test("a tree with uts and ipc namespaces of its own has nothing against it", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "kernel", ["unshare", "c000000"]);
  const images = await dump(stage, pid);
  expect(await report(stage, "preflight", images)).toMatchObject({ exit: 0, findings: [] });
  expect((await restoreBare(stage, images)).exit).toBe(0);
});
