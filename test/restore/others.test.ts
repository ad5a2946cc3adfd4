/** Programs, plugins and configuration that another user (uid 1000) can change: bare CRIU runs and obeys them as root. */
import { startDumped } from "./stage/dumped.ts";
import { afterAll, expect, test } from "bun:test";
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { link } from "../dropin/as-criu.ts";
import { ask, restore } from "../dropin/rpc.ts";
import { blockers, finding, report } from "./report.ts";
import { oldCriu, scriptAt } from "./shadow.ts";
import { criu, forgetKernel, killTree, openStage, recriu, recriuBinary, run } from "./stage.ts";
import { type Stage } from "./stage.ts";
import { compile } from "./stage/compile.ts";

const ALICE = 1000;
const ID = "writable-by-others";

async function dumped(stage: Stage) {
  return startDumped(stage, "objects");
}

/** A directory with a program CRIU of alice's, which says that it ran and then is the real one. */
function evilPath(stage: Stage): { path: string; ran: string; evil: string } {
  const [ran, dir, good] = ["ran", "evil", "good"].map((name) => join(stage.dir, name)) as [
    string,
    string,
    string,
  ];
  const evil = join(dir, "criu");
  for (const each of [dir, good]) mkdirSync(each);
  writeFileSync(evil, `#!/bin/sh\necho >>'${ran}'\nexec '${criu}' "$@"\n`, { mode: 0o755 });
  chownSync(evil, ALICE, ALICE);
  symlinkSync(criu, join(good, "criu"));
  return { path: `${dir}:${good}:${process.env.PATH}`, ran, evil };
}

test("a CRIU of another user in PATH is passed over with a word, by recriu and in CRIU's place", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const { path, ran, evil } = evilPath(stage);
  const env = { PATH: path, RECRIU_CRIU: "", NO_COLOR: "1" };
  const done = await report(stage, "restore", images, [], { env });
  expect(done).toMatchObject({ exit: 0, criu: { path: join(stage.dir, "good/criu") } });
  expect(finding(done, ID)).toMatchObject({ severity: "warning" });
  const word = `${evil} is passed over: ${evil} belongs to uid ${ALICE}`;
  expect(finding(done, ID).message).toBe(word);
  await killTree(stage, pid);

  const version = await run(stage, [link(stage), "--version"], { env });
  expect(version).toMatchObject({ exit: 0, stderr: `recriu: ${word}\n` });
  expect(version.stdout).toStartWith("Version: ");
  // A runtime's CRIU has the container's stderr: the word stands in the log.
  const asked = await ask(stage, images, restore(), { env });
  expect(asked).toMatchObject({ exit: 0, stderr: "", answer: { success: true } });
  expect(asked.log.split("\n").filter((line) => line === word)).toEqual([word]);
  await killTree(stage, pid);
  const doctor = await recriu(stage, ["doctor"], { env });
  expect(doctor.stderr).toContain(word);
  expect(existsSync(ran)).toBe(false);
});

test("one that the caller names is his word, with a warning", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const { evil, ran } = evilPath(stage);
  const done = await report(stage, "restore", images, [`--criu=${evil}`]);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(finding(done, ID)).toMatchObject({ severity: "warning", subject: evil });
  expect(existsSync(ran)).toBe(true);
  await killTree(stage, pid);
});

test("action scripts and options of CRIU's that others can write", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const script = scriptAt(stage, "pre-restore", "true");
  const config = join(stage.dir, "config");
  writeFileSync(config, "file-locks\n");
  const options = ["--action-script", script, "--config", config];
  expect((await report(stage, "preflight", images, options)).findings).toEqual([]);
  chmodSync(script, 0o777);
  chownSync(config, ALICE, 0);
  const done = await report(stage, "restore", images, options);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(done.findings.map(({ id, severity, subject }) => [id, severity, subject])).toEqual([
    [ID, "warning", script],
    [ID, "warning", config],
  ]);
  await killTree(stage, pid);
});

/** As long as the name of the directory that CRIU was built to have plugins in, which it takes the place of. */
const builtIn = "/usr/lib/criu/";
const plugins = `${mkdtempSync("/tmp/rp")}/`;
afterAll(() => rmSync(plugins, { recursive: true, force: true }));

/**
 * A CRIU with another directory for plugins, as if it were built so: the one under test, or Debian 12's 3.17.1, which loads
 * plugins before it reads the inventory, and is started by a script that says what its help does.
 */
function criuWithPlugins(stage: Stage, old: boolean): string {
  const path = join(stage.dir, "sbin/criu");
  for (const dir of ["sbin", "lib", "lib/criu"]) mkdirSync(join(stage.dir, dir));
  const script = old ? readFileSync(oldCriu(stage), "utf8") : "";
  const binary = old ? /exec '(.*)' "/.exec(script)![1]! : criu;
  const bytes = readFileSync(binary);
  const name = Buffer.from(plugins);
  expect(name.length).toBe(builtIn.length);
  for (let at = bytes.indexOf(builtIn); at >= 0; at = bytes.indexOf(builtIn, at + 1))
    name.copy(bytes, at);
  const patched = old ? join(stage.dir, "patched") : path;
  writeFileSync(patched, bytes, { mode: 0o755 });
  const help = `# path to a plugin directory (by default ${plugins})\n`;
  if (old) writeFileSync(path, script.replace(binary, patched) + help, { mode: 0o755 });
  return path;
}

for (const old of [false, true])
  test(`plugins of another user block before CRIU ${old ? "3.17.1 " : ""}is started at all`, async () => {
    await using stage = openStage({ ownState: true });
    const { pid, images } = await dumped(stage);
    forgetKernel(stage);
    const other = criuWithPlugins(stage, old);
    const loaded = join(stage.dir, "loaded");
    const env = { RECRIU_CRIU: other, PLUGIN_LOADED: loaded, CRIU_FAULT: "130" };
    copyFileSync(compile("plugin"), join(plugins, "a.so"));
    chownSync(join(plugins, "a.so"), 0, 0);
    expect(await report(stage, "restore", images, [], { env })).toMatchObject({
      exit: 0,
      findings: [],
    });
    expect(existsSync(loaded)).toBe(true);
    await killTree(stage, pid);

    for (const weaken of [
      () => chownSync(join(plugins, "a.so"), ALICE, ALICE),
      () => chmodSync(plugins, 0o777),
    ]) {
      rmSync(loaded, { force: true });
      weaken();
      const refused = await report(stage, "restore", images, [], { env });
      expect(refused.exit).toBe(3);
      expect([...new Set(blockers(refused))]).toEqual([ID]);
      expect(existsSync(loaded)).toBe(false);
      // Harm: bare CRIU runs the other user's code as root, and says nothing.
      const bare = [
        "env",
        `PLUGIN_LOADED=${loaded}`,
        other,
        "restore",
        "-d",
        "-D",
        images,
        "-W",
        stage.dir,
      ];
      expect((await run(stage, bare)).exit).toBe(0);
      expect(existsSync(loaded)).toBe(true);
      await killTree(stage, pid);
      chownSync(join(plugins, "a.so"), 0, 0);
    }
    chmodSync(plugins, 0o755);
    // The directory that the caller names is his word.
    const named = join(stage.dir, "named");
    mkdirSync(named);
    chmodSync(named, 0o777);
    const done = await report(stage, "restore", images, ["--libdir", named]);
    expect(done).toMatchObject({ exit: 0 });
    expect(finding(done, ID)).toMatchObject({ severity: "warning", subject: named });
    await killTree(stage, pid);
  });

test("/etc/recriu/recriu.conf that others can change is not used, with a word", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const etc = join(stage.dir, "etc");
  // An /etc of this mount namespace only.
  const under = (weaken: string) => [
    "unshare",
    "--mount",
    "sh",
    "-ec",
    `rm -rf ${etc}; cp -a /etc ${etc}; mount --bind ${etc} /etc; mkdir -p /etc/recriu; ` +
      `echo 'verify off' >/etc/recriu/recriu.conf; ${weaken}; exec "$@"`,
    "sh",
  ];
  const words = ["restore", "-d", "-D", images, "-W", stage.dir];
  const env = { RECRIU_CRIU: criu, NO_COLOR: "1" };
  const restored = async (weaken: string) => {
    const done = await run(stage, [...under(weaken), recriuBinary, ...words, "--json"], { env });
    expect(done.exit).toBe(0);
    await killTree(stage, pid);
    const { verdict } = JSON.parse(done.stdout) as { verdict: { result: string } | null };
    return { verdict: verdict?.result, stderr: done.stderr };
  };
  const used = await restored("true");
  expect(used).toMatchObject({
    verdict: "skipped",
    stderr: expect.not.stringContaining("not used"),
  });
  for (const [weaken, why] of [
    ["chown 1000 /etc/recriu/recriu.conf", "/etc/recriu/recriu.conf belongs to uid 1000"],
    ["chmod g+w /etc/recriu/recriu.conf", "/etc/recriu/recriu.conf can be written to by others"],
    ["chmod 777 /etc/recriu", "/etc/recriu can be written to by others"],
    ["chown -h 1000 /etc/recriu", "/etc/recriu belongs to uid 1000"],
    ["chown 1000 /etc/recriu; ln -sf /dev/zero /etc/recriu/recriu.conf", "/etc/recriu belongs"],
  ] as const) {
    const ignored = await restored(weaken);
    expect(ignored.verdict).toBe("match");
    expect(ignored.stderr).toStartWith(`recriu: /etc/recriu/recriu.conf is not used: ${why}`);
  }
  const dropin = await run(stage, [...under("chmod 777 /etc/recriu"), link(stage), "--version"], {
    env,
  });
  expect(dropin).toMatchObject({
    exit: 0,
    stderr: expect.stringContaining("recriu.conf is not used"),
  });
});
