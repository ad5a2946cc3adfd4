/** install.sh of the tarball, as an operator uses it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { criu } from "../restore/stage.ts";
import { type Released, released } from "./released.ts";
import { runHere, tool } from "./systems.ts";

const scratch = mkdtempSync(join(tmpdir(), "recriu-install-"));
let release: Released;
const artifact = (name: string) => join(release.dir, name);
const sha256 = (path: string) => runHere(["sha256sum", path]).stdout.slice(0, 64);

beforeAll(async () => {
  release = await released();
}, 240_000);
afterAll(() => rmSync(scratch, { recursive: true }));

/** A directory with what an operator carries over, unpacked: the tarball, SHA256SUMS, its signature. */
function carried(name: string): string {
  const dir = join(scratch, name);
  const archive = `recriu-${release.version}-linux-x64.tar.gz`;
  mkdirSync(dir);
  for (const file of [archive, "SHA256SUMS", "SHA256SUMS.minisig"])
    copyFileSync(artifact(file), join(dir, file));
  cpSync(release.unpacked("x64"), join(dir, `recriu-${release.version}-linux-x64`), {
    recursive: true,
  });
  return join(dir, `recriu-${release.version}-linux-x64`);
}

test("install.sh verifies, installs to a prefix, and takes all of it out again", () => {
  const from = carried("install");
  const prefix = join(scratch, "prefix with space/usr");
  const install = (...words: string[]) =>
    runHere([join(from, "install.sh"), "--prefix", prefix, ...words]);
  for (const time of ["first", "again"]) expect([time, install().exit]).toEqual([time, 0]);
  const { stdout } = runHere([join(prefix, "bin/recriu"), "--version"]);
  expect(stdout).toBe(`recriu ${release.version}\n`);
  const pages = runHere(["man", "-M", join(prefix, "share/man"), "-w", "recriu-restore"]);
  expect(pages.stdout).toContain(prefix);
  const uninstalled = runHere([join(prefix, "share/recriu/install.sh"), "--uninstall"]);
  expect(uninstalled).toMatchObject({ exit: 0 });
  expect(existsSync(join(scratch, "prefix with space"))).toBe(false);
});

test("install.sh refuses what is altered, unsigned or another's, before it writes anything", () => {
  const from = carried("refused");
  const prefix = join(scratch, "refused-prefix");
  const sh = join(from, "install.sh");
  const bin = join(scratch, "bin");
  mkdirSync(bin);
  const minisign = `#!/bin/sh\nexec ${tool("usr/bin/minisign").join(" ")} "$@"\n`;
  writeFileSync(join(bin, "minisign"), minisign, { mode: 0o755 });
  const install = (key: string) =>
    runHere([sh, "--prefix", prefix, "--key", key], { PATH: `${bin}:${process.env["PATH"]}` });
  const good = readFileSync(release.publicKey, "utf8").split("\n")[1]!;
  expect(install(good)).toMatchObject({
    exit: 0,
    stderr: expect.stringContaining("sums and signature verified"),
  });
  expect(runHere([sh, "--prefix", prefix, "--uninstall"]).exit).toBe(0);
  const stranger = `RWQ${good.slice(3).replace(/[a-y]/, (letter) => String.fromCharCode(letter.charCodeAt(0) + 1))}`;
  expect(install(stranger)).toMatchObject({
    exit: 1,
    stderr: expect.stringContaining("is no signature of"),
  });

  mkdirSync(join(prefix, "bin"), { recursive: true });
  writeFileSync(join(prefix, "bin/recriu"), "somebody else's");
  const occupied = runHere([sh, "--prefix", prefix]);
  expect(occupied).toMatchObject({ exit: 1, stderr: expect.stringContaining("is there already") });
  expect(readFileSync(join(prefix, "bin/recriu"), "utf8")).toBe("somebody else's");
  rmSync(prefix, { recursive: true });

  // Altered with its sum: only the archive, which is signed, gives it away.
  const sums = join(from, "SHA256SUMS");
  const old = sha256(join(from, "README.md"));
  writeFileSync(join(from, "README.md"), "altered");
  expect(runHere([sh, "--prefix", prefix])).toMatchObject({
    exit: 1,
    stderr: expect.stringContaining("README.md: FAILED"),
  });
  writeFileSync(sums, readFileSync(sums, "utf8").replace(old, sha256(join(from, "README.md"))));
  expect(runHere([sh, "--prefix", prefix])).toMatchObject({
    exit: 1,
    stderr: expect.stringContaining("is not the one in"),
  });
  expect(existsSync(prefix)).toBe(false);
});

test("criu's name is taken by update-alternatives, and given back", () => {
  const [link, etc, admin] = ["bin/criu", "etc", "admin"].map((name) => join(scratch, name));
  for (const dir of ["bin", "etc", "admin"]) mkdirSync(join(scratch, dir), { recursive: true });
  const alternatives = (...words: string[]) =>
    runHere([
      "update-alternatives",
      "--altdir",
      etc!,
      "--admindir",
      admin!,
      "--log",
      "/dev/null",
      ...words,
    ]);
  const program = join(release.unpacked("x64"), "recriu");
  expect(alternatives("--install", link!, "criu", program, "50").exit).toBe(0);
  const called = runHere([link!, "--version"], {
    PATH: `${join(scratch, "bin")}:${dirname(criu)}`,
  });
  expect(called.stdout).toStartWith("Version: ");
  expect(called).toEqual(runHere([criu, "--version"]));
  expect(alternatives("--remove", "criu", program).exit).toBe(0);
  expect(existsSync(link!)).toBe(false);
});
