/** Namespaces of the tree, and the network in one of its own. */
import { copyOf, startDumped } from "./stage/dumped.ts";
import { dumpBy } from "./criu.ts";
import { edit } from "./edit.ts";
import { descendants, dump, ownProgram, run, type Stage, waitFor } from "./stage.ts";
import { expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const NEWNET = "40000000";

/** A task in a network namespace of its own; no iptables is needed to dump it. */
export async function dumpInNet(stage: Stage) {
  return startDumped(stage, "kernel", ["unshare", NEWNET], { dump: ["--network-lock=nftables"] });
}

export function changed(
  stage: Stage,
  images: string,
  name: string,
  file: RegExp,
  change: (values: any[]) => void,
) {
  const copy = copyOf(stage, images, name);
  edit(
    copy,
    readdirSync(copy).find((entry) => file.test(entry))!,
    change,
  );
  return copy;
}

/** A container in a user namespace whose root is the user 100000, in a network of its own that `prepare` fills; dumped by the CRIU `by`. */
export async function dumpInUser(
  stage: Stage,
  prepare: (init: number) => string[],
  { ids = 65536, mounts = [], by }: { ids?: number; mounts?: readonly string[]; by?: string } = {},
) {
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
  const program = ownProgram(stage, "container");
  const own = `mknod -m 666 ${root}/dev/null c 1 3 && chown -R 100000:100000 ${root} ${stage.dir} && chmod 755 ${stage.dir}`;
  expect((await run(stage, ["sh", "-c", own])).exit).toBe(0);
  const enter = ["nsenter", "--user", `--target=${holder.pid}`, "-S", "0", "-G", "0", "--"];
  const inside = [
    // A clone may stand where that user cannot go.
    program,
    ready,
    root,
    "/run/app/sock",
    "proc",
    "none",
    "/proc",
    ...mounts,
  ];
  const container = await stage.supervisor.spawn([...enter, "unshare", "--net", "--", ...inside], {
    cwd: "/",
  });
  await waitFor("the container", () => existsSync(ready));
  const [init] = descendants(container.pid);
  const words = prepare(init!.pid);
  if (words.length > 0) expect(await run(stage, words)).toMatchObject({ exit: 0 });
  const lock = ["--network-lock=nftables"];
  const images = await (by === undefined
    ? dump(stage, init!.pid, lock)
    : dumpBy(stage, by, init!.pid, lock));
  await run(stage, ["mount", "--bind", root, root]);
  return { images, options: ["--root", root] };
}
