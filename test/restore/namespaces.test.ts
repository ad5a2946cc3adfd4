/** Namespaces of the tree, and the network in one of its own. */
import { expect, test } from "bun:test";
import {
  cpSync,
  readdirSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { edit } from "./edit.ts";
import { predicted, restored } from "./predicted.ts";
import { blockers, explained, finding, report } from "./report.ts";
import {
  criu,
  descendants,
  dump,
  killTree,
  openStage,
  recriuBinary,
  restoreBare,
  run,
  type Stage,
  start,
  waitFor,
} from "./stage.ts";
import { typed } from "./typed.ts";
import { compile } from "./stage/compile.ts";

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

test("net-link: a veth pair whose far end no option names", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpWithVeth(stage, false);
  const named = await predicted(stage, images, "net-link");
  expect(named).toMatchObject({ subject: "eth0", criu_message: "net: Unknown peer net namespace" });
  expect(named.remedy.command).toMatch(/^--external 'veth\[eth0\]:veth\d+'$/);
  expect(await typedOption(stage, images, named.remedy.command)).toBe(0);
  await killTree(stage, pid);
  const bridge = ["--external", "veth[eth0]:rqfar@rqnone"];
  const nowhere = await predicted(stage, images, "net-link", bridge);
  expect(nowhere.message).toContain("no bridge of that name");
  await run(stage, ["ip", "link", "add", "rqnone", "type", "bridge"]);
  try {
    await restored(stage, images, bridge);
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
  expect(bare.log).toContain("net: Unknown peer net namespace");
  const devices = await run(stage, ["nsenter", "-t", `${pid}`, "-n", "ip", "-o", "link"]);
  expect(devices.stdout.trim().split("\n").length).toBe(3);
  await killTree(stage, pid);
  expect(await typedOption(stage, images, preflight.findings[0]!.remedy.command)).toBe(0);
  const right = await run(stage, ["nsenter", "-t", `${pid}`, "-n", "ip", "-o", "link"]);
  expect(right.stdout.trim().split("\n").length).toBe(2);
  await killTree(stage, pid);
});

/** A container in a user namespace whose root is the user 100000, in a network of its own that `prepare` fills. */
async function dumpInUser(stage: Stage, prepare: (init: number) => string[], ids = 65536) {
  const holder = await stage.supervisor.spawn(["unshare", "--user", "sleep", "1000"], { cwd: "/" });
  await waitFor("the user namespace", () => {
    const user = (of: string) => readlinkSync(`/proc/${of}/ns/user`);
    return user(`${holder.pid}`) !== user("self");
  });
  for (const map of ["uid_map", "gid_map"])
    writeFileSync(`/proc/${holder.pid}/${map}`, `0 100000 ${ids}`);
  const root = join(stage.dir, "root");
  for (const directory of ["dev", "proc", "run/app"])
    mkdirSync(join(root, directory), { recursive: true });
  const ready = join(stage.dir, "ready-inside");
  const own = `mknod -m 666 ${root}/dev/null c 1 3 && chown -R 100000:100000 ${root} ${stage.dir} && chmod 755 ${stage.dir}`;
  expect((await run(stage, ["sh", "-c", own])).exit).toBe(0);
  const enter = ["nsenter", "--user", `--target=${holder.pid}`, "-S", "0", "-G", "0", "--"];
  const inside = [compile("container"), ready, root, "/run/app/sock", "proc", "none", "/proc"];
  const container = await stage.supervisor.spawn([...enter, "unshare", "--net", "--", ...inside], {
    cwd: "/",
  });
  await waitFor("the container", () => existsSync(ready));
  const [init] = descendants(container.pid);
  const words = prepare(init!.pid);
  if (words.length > 0) expect(await run(stage, words)).toMatchObject({ exit: 0 });
  const images = await dump(stage, init!.pid, ["--network-lock=nftables"]);
  await run(stage, ["mount", "--bind", root, root]);
  return { images, options: ["--root", root] };
}

test("net-link: in a user namespace no far end can be put outside, but an end moved in", async () => {
  await using stage = openStage();
  const { images, options } = await dumpInUser(stage, (init) => [
    "sh",
    "-c",
    `ip link add rq${init} type veth peer name eth0 netns ${init} && nsenter -t ${init} -n ip link set lo up`,
  ]);
  const given = [...options, "--external", "veth[eth0]:rqfar2"];
  const { command } = (await predicted(stage, images, "net-link", given)).remedy;
  const told = /^ip link add rqfar2 type veth peer name (\S+) && recriu restore (.*)$/.exec(
    command!,
  )!;
  const words = `ip link add rqfar2 type veth peer name ${told[1]} && exec "$0" restore -d --criu="$1" ${told[2]}`;
  expect(await run(stage, ["sh", "-c", words, recriuBinary, criu])).toMatchObject({ exit: 0 });
  const missing = ["--external", "netdev[eth0]:rqnothere"];
  expect((await predicted(stage, images, "net-link", [...options, ...missing])).message).toContain(
    "rqnothere, which this machine does not have",
  );
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
    const named = await predicted(stage, images, "net-link", options);
    expect(named).toMatchObject({
      subject: "tun0",
      criu_message: "tun: Can't open tun device: Permission denied",
      remedy: { command: "chmod 0666 /dev/net/tun" },
    });
    chmodSync(device, 0o666);
    await restored(stage, images, options);
  } finally {
    chmodSync(device, mode);
  }
});

test("an open TUN device, of which a dump writes two entries with one number", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "things", ["tun", "rqtun0"]);
  const images = await dump(stage, pid, ["--network-lock=nftables"]);
  await restored(stage, images);
  await killTree(stage, pid);
  // Behind any other file it would be hidden.
  const twice = changed(stage, images, "twice", /^files/, (files) =>
    files.push(structuredClone(files.find(({ tunf }) => tunf !== undefined))),
  );
  expect(blockers(await report(stage, "preflight", twice))).toContain("image-forged");
});

test("userns-ping-range: one group is not enough for what CRIU 4.1 has saved", async () => {
  await using stage = openStage();
  const { images, options } = await dumpInUser(stage, () => [], 1);
  const preflight = await report(stage, "preflight", images, options);
  if (preflight.criu.version!.startsWith("4.1")) {
    expect(preflight.exit).toBe(0);
    const named = finding(preflight, "userns-ping-range");
    expect(named).toMatchObject({ subject: "group 1", remedy: { kind: "edit" } });
    const bare = await restoreBare(stage, images, options);
    expect(bare.exit).toBe(1);
    expect(bare.log).toContain(named.criu_message!);
    explained(named);
    expect((await report(stage, "preflight", images, [...options, "--fix=none"])).exit).toBe(3);
  } else expect(preflight.findings).toEqual([]);
  const done = await report(stage, "restore", images, options);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
});

test("userns-alone: a user namespace in the machine's mount namespace", async () => {
  await using stage = openStage();
  const ready = join(stage.dir, "ready");
  const words = ["unshare", "--user", "--map-root-user", "--", compile("sched"), ready];
  const { pid } = await stage.supervisor.spawn([...words, "other", "0", "0"], { cwd: "/" });
  await waitFor("the task", () => existsSync(ready));
  const images = await dump(stage, pid);
  expect((await predicted(stage, images, "userns-alone")).task).toBe(pid);
  // With namespaces that belong to it, it is restored.
  const whole = await dumpInUser(stage, () => []);
  expect((await report(stage, "preflight", whole.images, whole.options)).findings).toEqual([]);
  await restored(stage, whole.images, whole.options);
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
