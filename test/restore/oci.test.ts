/** OCI runtimes, alone and with recriu in their place: a container whose socket's directory is gone from its root. */
import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { watched } from "../dropin/as-criu.ts";
import { edit } from "./edit.ts";
import { answers, cgroupsOf, checkpoint, end, makeContainer, restoreWords } from "./oci.ts";
import { contents, shadows } from "./shadow.ts";
import { descendants, openStage, run, running, start, waitFor } from "./stage.ts";

for (const runtime of ["runc", "crun"] as const) {
  test(`${runtime}: fails alone; works with recriu-${runtime} in its place, and with recriu as criu`, async () => {
    await using stage = openStage();
    const container = makeContainer(stage, runtime);
    await checkpoint(container);
    rmSync(container.sockets, { recursive: true });

    const alone = `${container.name}-alone`;
    expect((await container.alone(...restoreWords(container, alone))).exit).toBe(1);
    expect(readFileSync(container.log, "utf8")).toMatch(
      /Can't bind id \S+ ino \d+ addr \/tmp\/.X11-unix\/X7: No such file/,
    );
    await end(container, alone);

    for (const way of ["guarded", "withCriu"] as const) {
      rmSync(container.sockets, { recursive: true, force: true });
      const id = `${container.name}-${way}`;
      const restored = await container[way](...restoreWords(container, id));
      expect([restored.exit, readFileSync(join(stage.dir, "stderr"), "utf8")]).toEqual([0, ""]);
      expect(await answers(container, "still there")).toBe("still there");
      expect(existsSync(container.sockets)).toBe(true);
      const pid = readFileSync(join(stage.dir, `${id}.pid`), "utf8");
      expect(readFileSync(`/proc/${pid}/comm`, "utf8")).toBe("x11-server\n");
      // Of a new cgroup the real-time budget comes too late for CRIU: recriu set the policy again.
      const said = () =>
        readFileSync(container.log, "utf8")
          .split("\n")
          .filter((line) => !line.startsWith("("));
      await waitFor("the verdict in CRIU's log", () =>
        said().some((line) => line.includes("verified: ")),
      );
      expect(said().filter((line) => /^(fatal|not verified)/.test(line))).toEqual([]);
      expect(said().some((line) => /^verified: \d+ values compared/.test(line))).toBe(true);
      await end(container, id);
    }
  });

  test(`${runtime}: what blocks is said on stderr and in the runtime's log, and nothing is begun`, async () => {
    await using stage = openStage();
    const container = makeContainer(stage, runtime);
    await checkpoint(container);
    rmSync(container.sockets, { recursive: true });
    writeFileSync(container.sockets, "a file where a directory was");
    const id = `${container.name}-blocked`;
    const words = ["--log-format", "json", ...restoreWords(container, id)];
    expect((await container.guarded(...words)).exit).toBe(1);
    const stderr = readFileSync(join(stage.dir, "stderr"), "utf8");
    expect(stderr.split("\n")[0]).toContain("[unix-socket-dir]");
    const log = readFileSync(join(stage.dir, "runtime.log"), "utf8").trim().split("\n").at(-1)!;
    expect(JSON.parse(log)).toMatchObject({ level: "error" });
    expect(JSON.parse(log).msg).toContain("the restore is blocked");
    expect(existsSync(container.log)).toBe(false);
    expect((await container.alone("state", id)).exit).toBe(1);
    expect(existsSync(join(stage.dir, `${id}.pid`))).toBe(false);
    expect(cgroupsOf(container.name, id)).toEqual([]);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(stage.dir);
    expect(running(stage, "x11-server")).toEqual([]);
  });

  test(`${runtime}: a restore that is waited for ends as the container does`, async () => {
    await using stage = openStage();
    const container = makeContainer(stage, runtime);
    await checkpoint(container);
    const ends = async (way: "alone" | "guarded") => {
      const id = `${container.name}-${way}`;
      const waited = container[way](...restoreWords(container, id, false));
      await waitFor("the container", () => existsSync(join(stage.dir, `${id}.pid`)));
      await answers(container, "here");
      await container.alone("kill", id, "KILL");
      const { exit } = await waited;
      await end(container, id);
      return exit;
    };
    const alone = await ends("alone");
    expect(alone).toBeGreaterThan(0);
    expect(await ends("guarded")).toBe(alone);
  });
}

for (const runtime of ["runc", "crun"] as const) {
  test(`${runtime}: a container with a terminal gets it again, its other end on the console socket`, async () => {
    await using stage = openStage();
    const container = makeContainer(stage, runtime, true);
    const seen = join(stage.dir, "seen");
    await start(stage, "console", [join(stage.dir, "console"), seen]);
    await checkpoint(container);
    for (const way of ["alone", "guarded", "withCriu"] as const) {
      const id = `${container.name}-${way}`;
      truncateSync(seen);
      const restored = await container[way](...restoreWords(container, id));
      expect([restored.exit, readFileSync(join(stage.dir, "stderr"), "utf8")]).toEqual([0, ""]);
      expect(await answers(container, "still there")).toBe("still there");
      // What is typed at the other end comes back from the terminal that the container has.
      await waitFor("the echo", () => readFileSync(seen, "utf8").includes("typed\r\n"));
      const pid = readFileSync(join(stage.dir, `${id}.pid`), "utf8");
      expect(readlinkSync(`/proc/${pid}/fd/0`)).toBe("/dev/pts/0");
      if (way !== "alone") {
        await waitFor("the verdict in CRIU's log", () =>
          readFileSync(container.log, "utf8").includes("verified: "),
        );
        expect(readFileSync(container.log, "utf8")).not.toMatch(/^(fatal|not verified)/m);
      }
      await end(container, id);
    }
  });
}

test("runc: what was made in a root that the runtime unmounts is taken back all the same", async () => {
  await using stage = openStage();
  const container = makeContainer(stage, "runc");
  await checkpoint(container);
  const file = join(container.bundle, "config.json");
  const [over, veto] = [join(stage.dir, "over.conf"), join(stage.dir, "veto")];
  writeFileSync(over, `action-script ${veto}\n`);
  const annotations = { "org.criu.config": over };
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), annotations }));
  const script = "#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ]\n";
  writeFileSync(veto, script, { mode: 0o755 });
  for (const way of ["guarded", "withCriu"] as const) {
    rmSync(container.sockets, { recursive: true, force: true });
    const id = `${container.name}-${way}`;
    expect((await container[way](...restoreWords(container, id))).exit).toBe(1);
    await waitFor("the watcher to end", () => !watched(stage));
    expect([way, existsSync(container.sockets)]).toEqual([way, false]);
    expect(readFileSync(container.log, "utf8")).not.toMatch(/^ *left/m);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(stage.dir);
    await end(container, id);
  }
});

test("runc: what the bundle's configuration file for CRIU allows blocks nothing", async () => {
  await using stage = openStage();
  const container = makeContainer(stage, "runc");
  await checkpoint(container);
  chmodSync(join(container.rootfs, "tmp/progress"), 0o600);
  const restored = async (way: "alone" | "guarded", as: string) => {
    const id = `${container.name}-${as}-${way}`;
    const { exit } = await container[way](...restoreWords(container, id));
    if (exit === 0) await answers(container, "here");
    await waitFor("the watcher to end", () => !watched(stage));
    const log = existsSync(container.log) ? readFileSync(container.log, "utf8") : "";
    await end(container, id);
    rmSync(container.log, { force: true });
    return { exit, log };
  };
  const refused = await restored("alone", "strict");
  expect([refused.exit, refused.log]).toEqual([1, expect.stringContaining("has bad mode")]);
  expect((await restored("guarded", "strict")).exit).toBe(1);
  expect(readFileSync(join(stage.dir, "stderr"), "utf8")).toContain("[file-changed]");

  const file = join(container.bundle, "config.json");
  const over = join(stage.dir, "over.conf");
  writeFileSync(over, "skip-file-rwx-check\n");
  const annotations = { "org.criu.config": over };
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), annotations }));
  expect((await restored("alone", "lax")).exit).toBe(0);
  const guarded = await restored("guarded", "lax");
  expect([guarded.exit, readFileSync(join(stage.dir, "stderr"), "utf8")]).toEqual([0, ""]);
  expect(guarded.log).toContain("verified: ");
});

test("runc: a mount of the checkpoint that the new configuration lacks is named, and how to give it back", async () => {
  await using stage = openStage();
  const container = makeContainer(stage, "runc");
  const file = join(container.bundle, "config.json");
  const lacking = readFileSync(file, "utf8");
  const config = JSON.parse(lacking);
  const source = join(stage.dir, "data");
  mkdirSync(source);
  mkdirSync(join(container.rootfs, "data"));
  config.mounts.push({ destination: "/data", type: "bind", source, options: ["rbind", "rw"] });
  const whole = JSON.stringify(config);
  writeFileSync(file, whole);
  await checkpoint(container);
  writeFileSync(file, lacking);
  const alone = `${container.name}-alone`;
  expect((await container.alone(...restoreWords(container, alone))).exit).toBe(1);
  expect(readFileSync(container.log, "utf8")).toContain("No mapping for");
  await end(container, alone);
  for (const way of ["guarded", "withCriu"] as const) {
    rmSync(container.log, { force: true });
    const id = `${container.name}-${way}`;
    expect((await container[way](...restoreWords(container, id))).exit).toBe(1);
    const said = readFileSync(
      way === "guarded" ? join(stage.dir, "stderr") : container.log,
      "utf8",
    );
    expect(said).toContain("blocker[external-mount-unmapped]: /data");
    expect(said).toContain("an entry for /data in mounts of config.json");
    expect(said).not.toContain("--external");
    await end(container, id);
  }
  writeFileSync(file, whole);
  const id = `${container.name}-whole`;
  const restored = await container.guarded(...restoreWords(container, id));
  expect([restored.exit, readFileSync(join(stage.dir, "stderr"), "utf8")]).toEqual([0, ""]);
  await end(container, id);
});

test("runc: a priority that was not saved, which fails alone", async () => {
  await using stage = openStage();
  const container = makeContainer(stage, "runc");
  await checkpoint(container);
  const { images } = container;
  for (const file of readdirSync(images).filter((name) => name.startsWith("core-")))
    edit(images, file, ([{ thread_core }]) => {
      if (thread_core.sched_policy >= 0x40000000) delete thread_core.sched_prio;
    });
  const before = contents(images);

  const alone = `${container.name}-alone`;
  expect((await container.alone(...restoreWords(container, alone))).exit).toBe(1);
  expect(readFileSync(container.log, "utf8")).toContain("Inconsistent sched params received");
  await end(container, alone);

  const guarded = `${container.name}-guarded`;
  const restored = await container.guarded(...restoreWords(container, guarded));
  expect([restored.exit, readFileSync(join(stage.dir, "stderr"), "utf8")]).toEqual([0, ""]);
  expect(await answers(container, "still there")).toBe("still there");
  const policies = await Promise.all(
    descendants(stage.supervisor.pid).map(
      async ({ pid }) => (await run(stage, ["chrt", "-a", "-p", `${pid}`])).stdout,
    ),
  );
  expect(policies.join("")).toMatch(/SCHED_FIFO\|SCHED_RESET_ON_FORK\n.*priority: 1\n/);
  expect(shadows(stage.dir)).toEqual([]);
  expect(contents(images)).toEqual(before);
  await end(container, guarded);
});

test("runc --auto-dedup: the images lose nothing before the container runs", async () => {
  await using stage = openStage();
  const container = makeContainer(stage, "runc");
  await checkpoint(container);
  const { images } = container;
  const whole = contents(images);
  const allocated = () =>
    readdirSync(images)
      .filter((name) => name.startsWith("pages-"))
      .reduce((sum, name) => sum + statSync(join(images, name)).blocks, 0);
  const before = allocated();
  const words = (id: string) => {
    const [restore = "", ...rest] = restoreWords(container, id);
    return [restore, "--auto-dedup", ...rest];
  };
  // A bundle's configuration file goes over what runc asks.
  const bundle = join(container.bundle, "config.json");
  const config = readFileSync(bundle, "utf8");
  const over = join(stage.dir, "over.conf");
  const script = join(stage.dir, "veto");
  const annotated = { ...JSON.parse(config), annotations: { "org.criu.config": over } };
  writeFileSync(bundle, JSON.stringify(annotated));
  writeFileSync(over, "auto-dedup\n");
  const named = `${container.name}-named`;
  expect((await container.guarded(...restoreWords(container, named))).exit).toBe(1);
  expect(readFileSync(join(stage.dir, "stderr"), "utf8")).toContain(`auto-dedup in ${over}`);
  expect(contents(images)).toEqual(whole);

  writeFileSync(script, "#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ]\n", { mode: 0o755 });
  writeFileSync(over, `action-script ${script}\n`);
  for (const way of ["guarded", "withCriu"] as const) {
    const id = `${container.name}-refused-${way}`;
    expect((await container[way](...words(id))).exit).toBe(1);
    expect(contents(images)).toEqual(whole);
    await end(container, id);
  }
  writeFileSync(bundle, config);
  const id = `${container.name}-runs`;
  const restored = await container.guarded(...words(id));
  expect([restored.exit, readFileSync(join(stage.dir, "stderr"), "utf8")]).toEqual([0, ""]);
  expect(await answers(container, "still there")).toBe("still there");
  await waitFor("the images to have lost their memory", () => allocated() < before / 2);
  await end(container, id);
});
