/** What a release consists of, opened, installed and run by others' programs. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signingKey as keyOf } from "../../src/sys/minisign.ts";
import { type Released, released } from "./released.ts";
import { onArm64, onMusl, type Ran, runHere, runIn } from "./systems.ts";

const scratch = mkdtempSync(join(tmpdir(), "recriu-artifacts-"));
let release: Released;
const artifact = (name: string) => join(release.dir, name);
const sha256 = (path: string) => runHere(["sha256sum", path]).stdout.slice(0, 64);
const said = (text: string): Ran => ({ exit: 0, stdout: `${text}\n`, stderr: "" });

beforeAll(async () => {
  release = await released();
}, 240_000);
afterAll(() => rmSync(scratch, { recursive: true }));

test("SHA256SUMS names every artifact, and minisign knows who made it", () => {
  const { dir, version, publicKey } = release;
  const names = [
    `recriu-${version}-1.aarch64.rpm`,
    `recriu-${version}-1.x86_64.rpm`,
    ...["arm64-musl", "arm64", "x64-musl", "x64"].map(
      (each) => `recriu-${version}-linux-${each}.tar.gz`,
    ),
    ...["amd64", "arm64"].map((arch) => `recriu-${version}-image-${arch}.tar`),
    `recriu-${version}.cdx.json`,
    `recriu_${version}_amd64.deb`,
    `recriu_${version}_arm64.deb`,
  ];
  expect(readdirSync(dir).sort()).toEqual(["SHA256SUMS", "SHA256SUMS.minisig", ...names].sort());
  const sums = readFileSync(artifact("SHA256SUMS"), "utf8").trim().split("\n");
  expect(sums.map((line) => line.slice(66)).sort()).toEqual(names.sort());
  expect(runHere(["sh", "-c", `cd ${dir} && sha256sum -c --strict --quiet SHA256SUMS`]).exit).toBe(
    0,
  );

  const verify = (file: string) =>
    runIn(
      "tools",
      [dir, join(publicKey, ".."), scratch],
      ["/usr/bin/minisign", "-V", "-p", publicKey, "-m", file],
    );
  expect(verify(artifact("SHA256SUMS"))).toMatchObject({ exit: 0 });
  const altered = join(scratch, "SHA256SUMS");
  writeFileSync(altered, readFileSync(artifact("SHA256SUMS"), "utf8").replace("0", "1"));
  copyFileSync(artifact("SHA256SUMS.minisig"), `${altered}.minisig`);
  expect(verify(altered)).toMatchObject({ exit: 1 });
});

test("a secret key of minisign without a password signs, and no other", () => {
  const signingKey = (text: string) => keyOf(text, "SHA256SUMS");
  const text = readFileSync(release.secretKey, "utf8");
  expect(signingKey(text).id).toHaveLength(8);
  expect(() => signingKey("no key")).toThrow("no secret key of minisign");
  const [comment, key] = text.split("\n");
  const bytes = Buffer.from(key!, "base64");
  bytes.write("Sc", 2);
  const encrypted = `${comment}\n${bytes.toString("base64")}\n`;
  expect(() => signingKey(encrypted)).toThrow("sign with minisign -Sm SHA256SUMS itself");
});

test("each tarball's program runs: here, in qemu, by musl's loader, by that in qemu", () => {
  const program = (target: string) => join(release.unpacked(target), "recriu");
  const ways = [
    [program("x64")],
    onArm64(program("arm64")),
    onMusl("x64", join(scratch, "musl-x64"), program("x64-musl")),
    onMusl("arm64", join(scratch, "musl-arm64"), program("arm64-musl")),
  ];
  for (const words of ways) {
    expect(runHere([...words, "--version"])).toEqual(said(`recriu ${release.version}`));
    const gone = 'cd "$(mktemp -d)" && rmdir "$PWD" && exec "$@"';
    expect(runHere(["sh", "-c", gone, "sh", ...words, "--version"])).toEqual(
      said(`recriu ${release.version}`),
    );
    // libc is asked whether there is a terminal: its functions are found.
    const doctor = runHere([...words, "doctor", "--criu=/bin/false"], { NO_COLOR: "" });
    expect(doctor.stderr).toContain("kernel");
    expect(doctor.exit).toBe(3);
  }
});

test("a tarball holds what is promised, beside its program", () => {
  const files = readdirSync(release.unpacked("arm64-musl"), { recursive: true }) as string[];
  expect(files).toContain("recriu");
  for (const name of [
    "README.md",
    "LICENSE",
    "THIRD-PARTY.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "SHA256SUMS",
  ])
    expect(files).toContain(name);
  for (const name of [
    "install.sh",
    "docs/air-gapped.md",
    "man/man8/recriu.8",
    "man/man8/recriu-restore.8",
  ])
    expect(files).toContain(name);
  for (const name of ["recriu.bash", "_recriu", "recriu.fish"])
    expect(files).toContain(`completions/${name}`);
});

test("the .deb is installed by dpkg, runs, takes nobody's place, and goes without a trace", () => {
  const root = join(scratch, "deb");
  mkdirSync(join(root, "var/lib/dpkg/info"), { recursive: true });
  mkdirSync(join(root, "var/lib/dpkg/updates"));
  writeFileSync(join(root, "var/lib/dpkg/status"), "");
  const dpkg = (...words: string[]) =>
    runHere([
      "dpkg",
      `--root=${root}`,
      "--force-depends",
      "--force-not-root",
      "--force-script-chrootless",
      "--log=/dev/null",
      ...words,
    ]);
  const before = readdirSync(root);
  expect(dpkg("-i", artifact(`recriu_${release.version}_amd64.deb`))).toMatchObject({ exit: 0 });
  const files = dpkg("-L", "recriu").stdout.split("\n");
  expect(files.filter((file) => file.endsWith("/criu"))).toEqual([]);
  expect(files).toContain("/usr/share/man/man8/recriu-restore.8.gz");
  expect(dpkg("--verify", "recriu")).toEqual({ exit: 0, stdout: "", stderr: "" });
  const program = join(root, "usr/bin/recriu");
  expect(runHere([program, "--version"])).toEqual(said(`recriu ${release.version}`));
  // Not stripped, nor changed otherwise.
  expect(sha256(program)).toBe(sha256(join(release.unpacked("x64"), "recriu")));
  expect(dpkg("-P", "recriu")).toMatchObject({ exit: 0 });
  expect(readdirSync(root)).toEqual(before);

  const other = join(scratch, "deb-arm64");
  expect(runHere(["dpkg", "-x", artifact(`recriu_${release.version}_arm64.deb`), other]).exit).toBe(
    0,
  );
  expect(sha256(join(other, "usr/bin/recriu"))).toBe(
    sha256(join(release.unpacked("arm64"), "recriu")),
  );
});

test("the .rpm is installed by rpm, verified by it, runs, and goes without a trace", () => {
  const root = join(scratch, "rpm");
  mkdirSync(root);
  const rpm = (...words: string[]) =>
    runIn("tools", [release.dir, scratch], ["/usr/bin/rpm", "--define", "_dbpath /db", ...words]);
  const program = (target: string) => join(release.unpacked(target), "recriu");
  for (const [arch, target] of [
    ["x86_64", "x64"],
    ["aarch64", "arm64"],
  ] as const) {
    const file = artifact(`recriu-${release.version}-1.${arch}.rpm`);
    expect(rpm("-K", file).stdout).toBe(`${file}: digests OK\n`);
    const listed = rpm(
      "-qp",
      "--qf",
      "%{NAME} %{VERSION} %{RELEASE} %{ARCH} %{LICENSE}\\n",
      "-l",
      file,
    ).stdout;
    expect(listed).toContain(`recriu ${release.version} 1 ${arch} Apache-2.0`);
    expect(listed).not.toMatch(/\/criu$/m);
    expect(rpm("-qp", "--scripts", file).stdout).toBe("");
    const digests = rpm("-qp", "--qf", "[%{FILENAMES} %{FILEDIGESTS}\\n]", file).stdout;
    expect(digests).toContain(`/usr/bin/recriu ${sha256(program(target))}\n`);
  }
  const file = artifact(`recriu-${release.version}-1.x86_64.rpm`);
  const inRoot = ["--root", root, "--nodeps", "--force-debian"];
  expect(rpm(...inRoot, "-i", file)).toMatchObject({ exit: 0 });
  const installed = join(root, "usr/bin/recriu");
  expect(runHere([installed, "--version"])).toEqual(said(`recriu ${release.version}`));
  expect(sha256(installed)).toBe(sha256(program("x64")));
  expect(rpm("--root", root, "-V", "--nodeps", "recriu").stdout).toBe("");
  expect(rpm(...inRoot, "-e", "recriu")).toMatchObject({ exit: 0 });
  const left = (readdirSync(root, { recursive: true }) as string[]).filter((path) =>
    path.includes("recriu"),
  );
  expect(left).toEqual([]);
});

test("the bill of materials names every part with its hash, Bun and what is in it too", () => {
  const bom = JSON.parse(readFileSync(artifact(`recriu-${release.version}.cdx.json`), "utf8"));
  expect(bom).toMatchObject({
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    metadata: { component: { name: "recriu", version: release.version } },
  });
  const lock = JSON.parse(readFileSync(join(import.meta.dir, "../../package-lock.json"), "utf8"));
  const named = [
    "jsonc-parser",
    "tar-stream",
    "streamx",
    "@oven/bun-linux-x64",
    "@oven/bun-linux-aarch64",
    "@oven/bun-linux-x64-musl",
    "@oven/bun-linux-aarch64-musl",
  ];
  for (const name of named) {
    const { version, integrity } = lock.packages[`node_modules/${name}`];
    const content = Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex");
    expect(bom.components).toContainEqual(
      expect.objectContaining({ name, version, hashes: [{ alg: "SHA-512", content }] }),
    );
  }
  const refs = [bom.metadata.component, ...bom.components].map((each) => each["bom-ref"]);
  expect(new Set(refs).size).toBe(refs.length);
  for (const { ref, dependsOn } of bom.dependencies)
    for (const each of [ref, ...dependsOn]) expect(refs).toContain(each);
  const notices = readFileSync(join(release.unpacked("x64"), "THIRD-PARTY.md"), "utf8");
  for (const { name } of bom.components)
    if (!name.startsWith("@oven")) expect(notices).toContain(name);
});
