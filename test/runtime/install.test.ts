/** recriu install and uninstall, below a directory that stands for the system: the compiled binary, real files. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { recriuBinary } from "../restore/stage.ts";

let root = "";
beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  root = mkdtempSync(join(tmpdir(), "recriu-install-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (...words: string[]) => {
  const done = Bun.spawnSync([recriuBinary, ...words, `--root=${root}`], {
    env: { ...process.env, NO_COLOR: "1" },
  });
  return { exit: done.exitCode, stderr: done.stderr.toString() };
};
const write = (path: string, text: string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
const read = (path: string) => readFileSync(join(root, path), "utf8");
const files = () =>
  (readdirSync(root, { recursive: true }) as string[])
    .filter((name) => !statSync(join(root, name), { throwIfNoEntry: false })?.isDirectory())
    .sort();

const DAEMON =
  '{\n\t"experimental": true,\n\t"runtimes": {"kata": {"path": "/k"}},\n\t"x": 1.50\n}\n';

test("docker: daemon.json keeps the rest, and uninstall gives back its bytes", () => {
  write("/etc/docker/daemon.json", DAEMON);
  chmodSync(join(root, "/etc/docker/daemon.json"), 0o600);
  const dry = run("install", "--runtime=docker", "--dry-run");
  expect(dry.exit).toBe(0);
  expect(dry.stderr).toContain('"default-runtime": "recriu"');
  expect(files()).toEqual(["etc/docker/daemon.json"]);

  expect(run("install", "--runtime=docker").exit).toBe(0);
  const written = read("/etc/docker/daemon.json");
  expect(written).toBe(
    `{
\t"default-runtime": "recriu",
\t"experimental": true,
\t"runtimes": {
\t\t"recriu": {
\t\t\t"path": "/usr/local/bin/recriu-runc"
\t\t},
\t\t"kata": {
\t\t\t"path": "/k"
\t\t}
\t},
\t"x": 1.50
}
`,
  );
  expect(statSync(join(root, "/etc/docker/daemon.json")).mode & 0o777).toBe(0o600);
  expect(readlinkSync(join(root, "/usr/local/bin/recriu-runc"))).toBe(realpathSync(recriuBinary));

  // Once more changes nothing.
  expect(run("install", "--runtime=docker").stderr).toContain("as it shall be");
  expect(read("/etc/docker/daemon.json")).toBe(written);

  expect(run("uninstall").exit).toBe(0);
  expect(read("/etc/docker/daemon.json")).toBe(DAEMON);
  expect(files()).toEqual(["etc/docker/daemon.json"]);
});

test("docker: what is there is merged, whatever its shape", () => {
  const recriu = { path: "/usr/local/bin/recriu-runc" };
  for (const [before, expected] of [
    [undefined, { "default-runtime": "recriu", runtimes: { recriu } }],
    ["{}", { "default-runtime": "recriu", runtimes: { recriu } }],
    ['{"a":[1,{"b":"}"}],"runtimes":{},"c":-1.5e3}', { a: [1, { b: "}" }], c: -1500 }],
    ['{"default-runtime": "nvidia"}', { "default-runtime": "nvidia", runtimes: { recriu } }],
    ['{ "x\\"{": null , "y" : true }', { 'x"{': null, y: true, runtimes: { recriu } }],
  ] as const) {
    rmSync(root, { recursive: true });
    mkdirSync(root);
    if (before !== undefined) write("/etc/docker/daemon.json", before);
    expect(run("install", "--runtime=docker").exit).toBe(0);
    const merged = JSON.parse(read("/etc/docker/daemon.json"));
    expect(merged).toMatchObject(expected);
    expect(merged.runtimes).toEqual({ recriu });
  }
  for (const bad of ["[]", "{", '{"runtimes": 3}']) {
    rmSync(root, { recursive: true });
    write("/etc/docker/daemon.json", bad);
    expect(run("install", "--runtime=docker").exit).toBe(1);
    expect(read("/etc/docker/daemon.json")).toBe(bad);
  }
});

test("what somebody changed since is left, and said", () => {
  write("/etc/docker/daemon.json", DAEMON);
  run("install", "--runtime=docker");
  write("/etc/docker/daemon.json", '{"theirs": true}');
  const undone = run("uninstall");
  expect(undone.exit).toBe(1);
  expect(undone.stderr).toContain("daemon.json was changed since");
  expect(read("/etc/docker/daemon.json")).toBe('{"theirs": true}');
  // The original is not lost: once their change is gone it comes back.
  expect(existsSync(join(root, "/var/lib/recriu/installed.json"))).toBe(true);
});

test("podman and runc share a link: it stays until the last is taken out", () => {
  expect(run("install", "--runtime=podman,runc").exit).toBe(0);
  expect(read("/etc/containers/containers.conf.d/50-recriu.conf")).toContain(
    'runc = ["/usr/local/bin/recriu-runc"]',
  );
  expect(run("uninstall", "--runtime=podman").exit).toBe(0);
  expect(files()).toEqual(["usr/local/bin/recriu-runc", "var/lib/recriu/installed.json"]);
  expect(run("uninstall").exit).toBe(0);
  expect([files(), existsSync(join(root, "/var/lib/recriu"))]).toEqual([[], false]);
});

test("containerd: both generations of its configuration", () => {
  for (const [version, plugin] of [
    [2, "io.containerd.grpc.v1.cri"],
    [3, "io.containerd.cri.v1.runtime"],
  ] as const) {
    const before = `version = ${version}\n[plugins]\n  [plugins."x"]\n    y = 1`;
    write("/etc/containerd/config.toml", before);
    expect(run("install", "--runtime=containerd").exit).toBe(0);
    const config = Bun.TOML.parse(read("/etc/containerd/config.toml")) as any;
    expect(config.plugins.x).toEqual({ y: 1 });
    expect(config.plugins[plugin].containerd.runtimes.recriu).toEqual({
      runtime_type: "io.containerd.runc.v2",
      options: { BinaryName: "/usr/local/bin/recriu-runc" },
    });
    expect(run("uninstall").exit).toBe(0);
    expect(read("/etc/containerd/config.toml")).toBe(before);
  }
  write("/etc/containerd/config.toml", "[plugins]\n");
  expect(run("install", "--runtime=containerd")).toMatchObject({ exit: 1 });
});

test("criu and crio; what is somebody else's is not replaced", () => {
  write("/usr/local/sbin/criu", "theirs");
  expect(run("install", "--criu").stderr).toContain("is not recriu's");
  rmSync(join(root, "/usr/local/sbin/criu"));
  expect(run("install", "--criu", "--runtime=crio").exit).toBe(0);
  expect(readlinkSync(join(root, "/usr/local/sbin/criu"))).toBe(realpathSync(recriuBinary));
  expect(read("/etc/crio/crio.conf.d/50-recriu.conf")).toContain("runtimes.recriu");
  expect(run("uninstall").exit).toBe(0);
  expect(files()).toEqual([]);
  expect(run("install", "--runtime=lxc").exit).toBe(2);
  expect(run("install").exit).toBe(2);
});

test("links below the root lead nowhere outside it, and nobody else's are followed", () => {
  const outside = mkdtempSync(join(tmpdir(), "recriu-outside-"));
  try {
    mkdirSync(join(root, "usr"));
    symlinkSync(outside, join(root, "usr/local"));
    expect(run("install", "--criu")).toMatchObject({ exit: 1 });
    expect(readdirSync(outside)).toEqual([]);
    // A link that leads somewhere inside is one as any other.
    mkdirSync(join(root, outside), { recursive: true });
    expect(run("install", "--criu").exit).toBe(0);
    expect(readlinkSync(join(root, outside, "sbin/criu"))).toBe(realpathSync(recriuBinary));
    expect(run("uninstall").exit).toBe(0);
    expect(readdirSync(outside)).toEqual([]);

    mkdirSync(join(root, "here"));
    symlinkSync("/here", join(root, "etc"));
    lchownSync(join(root, "etc"), 1000, 1000);
    const refused = run("install", "--runtime=docker");
    expect(refused).toMatchObject({ exit: 1 });
    expect(refused.stderr).toContain("is a link of uid 1000");
    expect(readdirSync(join(root, "here"))).toEqual([]);
  } finally {
    rmSync(outside, { recursive: true });
  }
});

test("a recriu that is in the system below the root is linked by its path there", () => {
  const own = join(root, "usr/local/bin/recriu");
  mkdirSync(dirname(own), { recursive: true });
  copyFileSync(recriuBinary, own);
  const done = Bun.spawnSync([own, "install", "--runtime=containerd", `--root=${root}`]);
  expect([done.exitCode, readlinkSync(join(root, "usr/local/bin/recriu-runc"))]).toEqual([
    0,
    "/usr/local/bin/recriu",
  ]);
  expect(Bun.spawnSync([own, "uninstall", `--root=${root}`]).exitCode).toBe(0);
});
