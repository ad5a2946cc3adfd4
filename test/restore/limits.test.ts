/** Trees that are beyond a limit of this machine. */
import { expect, test } from "bun:test";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { restores, stageCheck } from "./stage-check.ts";
import { blockers, report } from "./report.ts";
import { dump, killTree, openStage, restoreBare, type Stage, start } from "./stage.ts";
import { setting } from "./stage/sysctl.ts";
import { typed } from "./typed.ts";
import { reportUnder } from "./under.ts";

const dumpOf = async (stage: Stage, ...args: string[]) => {
  const { pid } = await start(stage, "memory", args);
  return { pid, images: await dump(stage, pid) };
};

test("mmap-min-addr", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage, "low");
  const noRawio = ["capsh", "--drop=cap_sys_rawio", "--", "-c", 'exec "$@"', "sh"];
  {
    using _ = setting("vm/mmap_min_addr", 65536);
    const named = await stageCheck({ id: "mmap-min-addr", stage, images, under: noRawio });
    expect(named).toMatchObject({ task: pid, subject: "0x2000" });
    // With the capability no limit counts.
    await restores(stage, images);
    await killTree(stage, pid);
    const told = await reportUnder(stage, noRawio, "preflight", images);
    expect((await typed(stage, told, "mmap-min-addr")).exit).toBe(0);
    await restores(stage, images, { under: noRawio });
    await killTree(stage, pid);
  }
  using _ = setting("vm/mmap_min_addr", 8192);
  await restores(stage, images, { under: noRawio });
});

test("hugepages-short", async () => {
  await using stage = openStage();
  const pages = "vm/nr_hugepages";
  const { images } = await (async () => {
    using _ = setting(pages, 3); // CRIU itself maps one to learn what they look like
    return await dumpOf(stage, "huge");
  })();
  {
    using _ = setting(pages, 1);
    const named = await stageCheck({ id: "hugepages-short", stage, images });
    expect(named.remedy.command).toEndWith(
      "echo 2 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
    );
    const told = await report(stage, "preflight", images);
    expect((await typed(stage, told, "hugepages-short")).exit).toBe(0);
    await restores(stage, images);
  }
});

test("memory-short: one mapping larger than all memory", async () => {
  await using stage = openStage();
  const overcommit = "vm/overcommit_memory";
  const { images } = await (async () => {
    using _ = setting(overcommit, 1);
    return await dumpOf(stage, "large");
  })();
  {
    using _ = setting(overcommit, 0);
    await stageCheck({ id: "memory-short", stage, images });
    const told = await report(stage, "preflight", images);
    expect((await typed(stage, told, "memory-short")).exit).toBe(0);
    await restores(stage, images);
  }
});

test("memory-short: addresses that are only reserved, where CRIU makes them writable first", async () => {
  await using stage = openStage();
  using _ = setting("vm/overcommit_memory", 0);
  const alone = await dumpOf(stage, "reserved");
  await restores(stage, alone.images);
  await killTree(stage, alone.pid);
  // No memory is tracked here for a real parent; an empty one does the same.
  const child = join(stage.dir, "incremental");
  cpSync(alone.images, child, { recursive: true });
  const pagemap = `pagemap-${alone.pid}.img`;
  mkdirSync(join(stage.dir, "before"));
  for (const file of ["inventory.img", pagemap, "pages-1.img"])
    cpSync(join(alone.images, file), join(stage.dir, "before", file));
  symlinkSync("../before", join(child, "parent"));
  await stageCheck({ id: "memory-short", stage, images: child });

  const { pid, images } = await dumpOf(stage, "inherited");
  const named = await stageCheck({ id: "memory-short", stage, images });
  expect(named).toMatchObject({
    task: pid,
    criu_message: "Unable to map ANON_VMA: Cannot allocate memory",
  });
  // As typed: the setting is put back with the one above.
  expect(named.remedy.command).toBe("sysctl -w vm.overcommit_memory=1");
  using __ = setting("vm/overcommit_memory", 1);
  await restores(stage, images);
});

test("mappings-too-many", async () => {
  await using stage = openStage();
  const most = "vm/max_map_count";
  using _ = setting(most, 80_000);
  const { images } = await dumpOf(stage, "many", "67000");
  {
    using __ = setting(most, 65_530);
    const named = await stageCheck({ id: "mappings-too-many", stage, images });
    expect(named.remedy.command).toBe("sysctl -w vm.max_map_count=131072");
    const told = await report(stage, "preflight", images);
    expect((await typed(stage, told, "mappings-too-many")).exit).toBe(0);
    await restores(stage, images);
  }
});

const limited = (descriptors: number) => [
  "capsh",
  "--drop=cap_sys_resource",
  "--",
  "-c",
  `ulimit -Sn ${descriptors}; "$@"; exit $?`,
  "sh",
];

test("fd-too-big: the caller's own limit, where it cannot be raised", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage, "fd", "4000");
  const named = await stageCheck({ id: "fd-too-big", stage, images, under: limited(1024) });
  expect(named).toMatchObject({ task: pid, subject: "4000" });
  expect(named.remedy.command).toBe("ulimit -Sn 8192");
  // Room for the descriptor, but not for CRIU's own.
  await stageCheck({ id: "fd-too-big", stage, images, under: limited(4010) });
  await restores(stage, images, { under: limited(4200) });
  await killTree(stage, pid);
  const told = await reportUnder(stage, limited(1024), "preflight", images);
  const here = { under: limited(1024), thenRestore: true } as const;
  expect((await typed(stage, told, "fd-too-big", here)).exit).toBe(0);
});

test("fd-too-big: the kernel's limit", async () => {
  await using stage = openStage();
  const { images } = await dumpOf(stage, "fd", "4000");
  const beyond = join(stage.dir, "beyond");
  cpSync(images, beyond, { recursive: true });
  edit(beyond, "fdinfo-2.img", (fds) => {
    for (const entry of fds) if (entry.fd === 4000) entry.fd = 40_000_000;
  });
  await stageCheck({ id: "fd-too-big", stage, images: beyond });
  expect(blockers(await report(stage, "preflight", images))).toEqual([]);
});

test("address-space", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage, "plain");
  const high = join(stage.dir, "high");
  cpSync(images, high, { recursive: true });
  edit(high, `mm-${pid}.img`, ([mm]) => {
    const at = mm.vmas.findLastIndex((vma: any) => vma.start < 1n << 47n);
    const below = mm.vmas.find((vma: any) => (vma.status & 0x200) !== 0 && vma.flags === 0x22);
    const top = 1n << 56n;
    mm.vmas.splice(at + 1, 0, { ...below, start: top, end: top + 4096n });
  });
  await stageCheck({ id: "address-space", stage, images: high });
  expect((await restoreBare(stage, images)).exit).toBe(0);
});
