/** Old and bare machines: what the program asks of libc, of the CPU and of /proc. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { libcSymbols } from "../../src/sys/libc.ts";
import { compile } from "../restore/stage/compile.ts";
import { criu, dump, openStage, run, waitFor } from "../restore/stage.ts";
import { dumpX11 } from "../restore/x11.ts";
import { type Released, released } from "./released.ts";
import { onArm64, onMusl, runHere, systemRoot, withoutAvx, wordsIn } from "./systems.ts";

const scratch = mkdtempSync(join(tmpdir(), "recriu-compatibility-"));
const muslLibraries = join(scratch, "musl");
let release: Released;
const program = (target: string) => join(release.unpacked(target), "recriu");
const lines = (argv: string[]) => runHere(argv).stdout.split("\n");
const ascending = (a: string, b: string) => a.localeCompare(b, "en", { numeric: true });

beforeAll(async () => {
  release = await released();
  onMusl("x64", muslLibraries, program("x64-musl"));
}, 240_000);
afterAll(() => rmSync(scratch, { recursive: true }));

test("no program asks for a symbol that is newer than glibc 2.17", () => {
  for (const target of ["x64", "arm64"]) {
    const { stdout } = runHere(["readelf", "--version-info", "-W", program(target)]);
    const versions = [...stdout.matchAll(/\bGLIBC_([\d.]+)/g)].map(([, version]) => version!);
    expect(versions.sort(ascending).at(-1)).toBe("2.17");
  }
});

test("neither does recriu while it runs: every function of libc is in glibc 2.17 and in musl", () => {
  const here = lines([
    "sh",
    "-c",
    "readelf --dyn-syms -W $(ldd /bin/sh | sed -n 's/.*=> \\(.*libc.so.6\\) .*/\\1/p')",
  ]);
  const musl = lines([
    "readelf",
    "--dyn-syms",
    "-W",
    join(systemRoot("tools"), "lib/ld-musl-x86_64.so.1"),
  ]);
  for (const name of libcSymbols) {
    const since = here
      .map((line) => new RegExp(` ${name}@+GLIBC_([\\d.]+)`).exec(line)?.[1])
      .filter((version) => version !== undefined)
      .sort(ascending)[0];
    expect([name, since, ascending(since ?? "9", "2.17") <= 0]).toEqual([name, since, true]);
    expect([name, musl.some((line) => line.endsWith(` ${name}`))]).toEqual([name, true]);
  }
});

test("x64 runs on a CPU without AVX", () => {
  const ran = runHere([...withoutAvx(program("x64")), "--version"]);
  expect(ran).toEqual({ exit: 0, stdout: `recriu ${release.version}\n`, stderr: "" });
});

test.each([
  ["the oldest Debian of the mirror", "oldest", "x64"],
  ["musl", "tools", "x64-musl"],
] as const)("a whole restore works on %s", async (_, system, target) => {
  await using stage = openStage();
  const [sockets, progress] = [join(stage.dir, ".X11-unix"), join(stage.dir, "progress")];
  // Without libraries, which are others there.
  const server = compile("x11-server", true);
  const ready = join(stage.dir, "ready");
  const { pid } = await stage.supervisor.spawn([server, ready, sockets, progress]);
  await waitFor("the server", () => existsSync(ready));
  const images = await dump(stage, pid);
  rmSync(sockets, { recursive: true });
  const before = readFileSync(progress, "utf8").length;

  const binds = [
    stage.dir,
    dirname(server),
    dirname(program(target)),
    dirname(realpathSync(criu)),
    muslLibraries,
    "/sys",
  ];
  const restore = [program(target), "restore", "-d", "-D", images, `--criu=${realpathSync(criu)}`];
  const words = ["/bin/sh", "-c", `LD_LIBRARY_PATH=${muslLibraries} exec "$@"`, "sh", ...restore];
  const ran = await run(stage, wordsIn(system, binds, target === "x64" ? restore : words));
  expect(ran.stderr).toContain("solved[unix-socket-dir]");
  // What an emulator's kernel does not tell is not compared: then the verdict says less.
  expect(ran.stderr).toMatch(/the tree is the saved one|what was compared is as it was saved/);
  expect(ran.exit).toBe(0);
  await waitFor("the client to go on", () => readFileSync(progress, "utf8").length > before);
});

test("where there is no openat2, before Linux 5.6 and in qemu, paths are looked at all the same", async () => {
  await using stage = openStage();
  const { images, sockets } = await dumpX11(stage);
  rmSync(sockets, { recursive: true });
  const preflight = [
    "preflight",
    "-D",
    images,
    `--criu=${criu}`,
    "--only=file-missing,unix-socket-dir",
  ];
  const { stderr } = runHere([...withoutAvx(program("x64")), ...preflight]);
  expect(stderr).toContain(`mkdir ${sockets} mode 1777`);
  expect(stderr).not.toContain("file-missing");
  expect(stderr).not.toContain("Function not implemented");
});

/** How each of the four is run, by its own name or another's. */
const fourWays = (named: (target: string) => string = program) => [
  [named("x64")],
  onArm64(named("arm64")),
  onMusl("x64", muslLibraries, named("x64-musl")),
  onMusl("arm64", join(scratch, "musl-arm64"), named("arm64-musl")),
];

test("as criu: the process that was started becomes CRIU, each of the four", () => {
  const real = join(scratch, "real");
  writeFileSync(real, '#!/bin/sh\necho $$ "$@"; exit 7\n', { mode: 0o755 });
  const named = (target: string) => {
    const link = join(scratch, target, "criu");
    mkdirSync(dirname(link));
    symlinkSync(program(target), link);
    return link;
  };
  const script = 'echo $$; exec "$@"';
  for (const words of fourWays(named))
    for (const command of ["restore", "dump"]) {
      const argv = ["bash", "-c", script, "bash", ...words, command, "--stream", "-D", scratch];
      const { exit, stdout } = runHere(argv, { RECRIU_CRIU: real });
      expect(stdout).toMatch(/^(\d+)\n\1 /);
      expect(exit).toBe(7);
    }
});

test("under limits that its runtime would die of the program says so, each of the four", () => {
  for (const words of fourWays()) {
    const said = runHere(["bash", "-c", 'ulimit -n 8 && exec "$@"', "bash", ...words, "--version"]);
    const stderr = expect.stringContaining("recriu: its limits leave no room to start: 32 ");
    expect(said).toEqual({ exit: 3, stdout: "", stderr });
  }
});

test("without /proc the program says so, each of the four", () => {
  const missing = {
    exit: 3,
    stdout: "",
    stderr: "recriu: /proc is not mounted here, and nothing can be restored without it\n",
  };
  for (const words of fourWays()) {
    const argv = ["unshare", "--mount", "sh", "-c", 'umount -l /proc && exec "$@"', "sh"];
    expect(runHere([...argv, ...words, "--version"])).toEqual(missing);
  }
});
