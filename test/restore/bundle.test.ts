/** A container's bundle that grants less than its images have: the runtime alone restores them as they are. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answers, checkpoint, type Container, end, makeContainer, restoreWords } from "./oci.ts";
import { openStage } from "./stage.ts";

/** config.json after a change; the way back. */
function configure({ bundle }: Container, change: (config: any) => void): () => void {
  const file = join(bundle, "config.json");
  const before = readFileSync(file, "utf8");
  const config = JSON.parse(before);
  change(config);
  writeFileSync(file, JSON.stringify(config));
  return () => writeFileSync(file, before);
}

const refusing = {
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: [{ names: ["reboot"], action: "SCMP_ACT_ERRNO" }],
};

const status = (pid: string, field: string) =>
  new RegExp(`^${field}:\\s*(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1];
const namespace = (pid: string, kind: string) => readlinkSync(`/proc/${pid}/ns/${kind}`);

/** Each narrows the bundle in one thing; what is seen of the container that comes back all the same. */
const narrowed: {
  id: string;
  change: (config: any) => void;
  says: string;
  harm: (pid: string) => void;
}[] = [
  {
    id: "bundle-capabilities",
    change({ process }) {
      for (const set of ["bounding", "effective", "permitted"])
        process.capabilities[set] = ["CAP_SYS_NICE", "CAP_KILL"];
    },
    says: "bounding: cap_net_raw; permitted: cap_net_raw; effective: cap_net_raw",
    harm: (pid) => expect(status(pid, "CapEff")).toBe("0000000000802020"),
  },
  {
    id: "bundle-no-new-privs",
    change: ({ process }) => (process.noNewPrivileges = true),
    says: "would not have no_new_privs",
    harm: (pid) => expect(status(pid, "NoNewPrivs")).toBe("0"),
  },
  {
    id: "bundle-seccomp",
    change: ({ linux }) => (linux.seccomp = refusing),
    says: "would have no seccomp filter",
    harm: (pid) => expect(status(pid, "Seccomp")).toBe("0"),
  },
  {
    id: "bundle-namespace",
    change: ({ linux }) => linux.namespaces.push({ type: "network" }),
    says: "a net namespace of its own",
    harm: (pid) => expect(namespace(pid, "net")).toBe(namespace("self", "net")),
  },
  {
    id: "bundle-root",
    change: ({ root }) => (root.readonly = true),
    says: "root is read-only",
    harm: (pid) =>
      expect(readFileSync(`/proc/${pid}/mountinfo`, "utf8")).toMatch(/ \/ \/ rw|rootfs \/ rw/),
  },
];

/** crun is staged in a cgroup namespace of the stage's. */
const cgroup = {
  id: "bundle-namespace",
  change: ({ linux }: any) => linux.namespaces.push({ type: "cgroup" }),
  says: "a cgroup namespace of its own",
  harm: (pid: string) => expect(namespace(pid, "cgroup")).toBe(namespace("self", "cgroup")),
};

for (const runtime of ["runc", "crun"] as const)
  test(`${runtime}: what the images have over the bundle comes back alone, and is refused before`, async () => {
    await using stage = openStage();
    const container = makeContainer(stage, runtime);
    configure(container, ({ process }) => {
      process.noNewPrivileges = false;
      for (const set of ["bounding", "effective", "permitted"])
        process.capabilities[set].push("CAP_NET_RAW");
    });
    await checkpoint(container);
    const stderr = () => readFileSync(join(stage.dir, "stderr"), "utf8");
    // One by one, and all at once.
    for (const narrower of runtime === "runc"
      ? [...narrowed, cgroup].map((each) => [each])
      : [narrowed]) {
      const back = configure(container, (config) =>
        narrower.forEach(({ change }) => change(config)),
      );
      const alone = `${container.name}-${narrower[0]!.id}-alone`;
      const bare = await container.alone(...restoreWords(container, alone));
      expect([alone, bare.exit, stderr()]).toEqual([alone, 0, ""]);
      for (const { harm } of narrower) harm(readFileSync(join(stage.dir, `${alone}.pid`), "utf8"));
      await end(container, alone);

      const guarded = `${container.name}-${narrower[0]!.id}`;
      expect((await container.guarded(...restoreWords(container, guarded))).exit).toBe(1);
      expect(stderr().split("\n")[0]).toMatch(/the restore is blocked: .* nothing was touched/);
      for (const { id, says } of narrower) {
        expect(stderr()).toContain(`blocker[${id}]: `);
        expect(stderr()).toContain(says);
      }
      expect(stderr().split("blocker[").length - 1).toBe(narrower.length);
      expect(existsSync(join(stage.dir, `${guarded}.pid`))).toBe(false);
      await end(container, guarded);

      // The user's word, as the finding names it.
      const ids = narrower.map(({ id }) => id).join();
      const ignored = `${guarded}-ignored`;
      const done = await container.guardedWith(
        { RECRIU_IGNORE: ids },
        ...restoreWords(container, ignored),
      );
      expect([ignored, done.exit, stderr()]).toEqual([ignored, 0, ""]);
      await end(container, ignored);
      back();
    }

    const kept = `${container.name}-kept`;
    const restored = await container.guarded(...restoreWords(container, kept));
    expect([restored.exit, stderr()]).toEqual([0, ""]);
    expect(await answers(container, "still there")).toBe("still there");
    await end(container, kept);
  });

test("runc: a bundle that asks for all of it, and images that have it", async () => {
  await using stage = openStage();
  const container = makeContainer(stage, "runc");
  const tmp = join(container.rootfs, "tmp");
  configure(container, (config) => {
    for (const { change } of narrowed) change(config);
    config.linux.namespaces.push({ type: "cgroup" });
    // The runtime alone sets fewer than the bounding set permitted: no execve adds to them under noNewPrivileges.
    config.process.capabilities.bounding.push("CAP_NET_RAW");
    config.mounts.push({
      destination: "/tmp",
      type: "bind",
      source: tmp,
      options: ["rbind", "rw"],
    });
  });
  await checkpoint(container);
  const id = `${container.name}-kept`;
  const restored = await container.guarded(...restoreWords(container, id));
  expect([restored.exit, readFileSync(join(stage.dir, "stderr"), "utf8")]).toEqual([0, ""]);
  expect(await answers(container, "still there")).toBe("still there");
  const pid = readFileSync(join(stage.dir, `${id}.pid`), "utf8");
  expect([status(pid, "NoNewPrivs"), status(pid, "Seccomp")]).toEqual(["1", "2"]);
  expect(status(pid, "CapEff")).toBe("0000000000800020");
  for (const kind of ["net", "cgroup"])
    expect(namespace(pid, kind)).not.toBe(namespace("self", kind));
  await end(container, id);
});
