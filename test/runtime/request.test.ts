/** What a runtime will ask of CRIU, and what of recriu's findings is the runtime's own to see to. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Finding } from "../../src/checks/index.ts";
import { parseRuntime } from "../../src/runtime/arguments.ts";
import { logError } from "../../src/runtime/log.ts";
import {
  criuWordsOf,
  externalMounts,
  fileOverRequest,
  logOf,
  passOn,
  standsUnderRuntime,
} from "../../src/runtime/request.ts";
import { fixture, image } from "../image/fixture.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-request-"));
afterAll(() => rmSync(dir, { recursive: true }));

const bundle = { root: "/b/rootfs", binds: [{ destination: "/data", source: "/host/data" }] };
const command = (...words: string[]) => parseRuntime(["restore", ...words, "c1"], false);

test("the container's root, its paths, and the flags that CRIU has under the same name", () => {
  const words = criuWordsOf(
    command(
      "--image-path=/i",
      "--work-path=/w",
      "--tcp-established",
      "--shell-job=false",
      "--file-locks=true",
    ),
    bundle,
    false,
  );
  const valueOf = (name: string) => words[words.indexOf(name) + 1];
  expect([valueOf("--images-dir"), valueOf("--root"), valueOf("--work-dir")]).toEqual([
    "/i",
    "/b/rootfs",
    "/w",
  ]);
  expect([valueOf("--cgroup-root"), valueOf("--log-file")]).toEqual(["/", "restore.log"]);
  for (const word of [
    "--restore-detached",
    "--restore-sibling",
    "--orphan-pts-master",
    "--tcp-established",
    "--file-locks",
  ])
    expect(words).toContain(word);
  expect(words).not.toContain("--shell-job");
  expect(criuWordsOf(command("--image-path=/i", "--empty-ns=network"), bundle, false)).toContain(
    "--empty-ns=net",
  );
  expect(valueOf("--external")).toBe("mnt[/data]:/host/data");
});

test("external mounts: where the bundle says; the runtime's own to the path of the same name", () => {
  for (const [name, bytes] of Object.entries(fixture())) writeFileSync(join(dir, name), bytes);
  const mount = (mnt_id: number, mountpoint: string, ext_key?: string) => ({
    fstype: 0,
    mnt_id,
    root_dev: 1,
    parent_mnt_id: 0,
    flags: 0,
    root: "/",
    mountpoint,
    source: "none",
    options: "",
    ext_key,
  });
  const mounts = [
    mount(1, "/"),
    mount(2, "/data", "/data"),
    mount(3, "/sys", "/sys/fs"),
    mount(4, "/x", "key"),
  ];
  writeFileSync(join(dir, "mountpoints-6.img"), image("mountpoints-6.img", mounts));
  expect([...externalMounts(dir, bundle)]).toEqual([
    ["/data", "/host/data"],
    ["/sys/fs", "/sys/fs"],
  ]);
  expect([...externalMounts("/nowhere", bundle)]).toEqual([["/data", "/host/data"]]);
});

test("external mounts: by where their places are once links of the root are followed, as runtimes name them", () => {
  const root = join(dir, "linked");
  mkdirSync(join(root, "run"), { recursive: true });
  symlinkSync("/run", join(root, "link"));
  symlinkSync("../../..", join(root, "out"));
  const at = (destination: string) => [
    ...externalMounts("/nowhere", { root, binds: [{ destination, source: "/host" }] }).keys(),
  ];
  expect(at("/link/data/")).toEqual(["/run/data"]);
  expect(at("/out/run")).toEqual(["/run"]);
  expect(at("/run//./new/deep")).toEqual(["/run/new/deep"]);
});

const stands = (id: string, subject = "", asked = command()) =>
  standsUnderRuntime({ id, subject } as Finding, bundle, asked);

test("what a runtime sees to itself is no finding; the rest is", () => {
  for (const id of [
    "mountpoint-missing",
    "external-netns",
    "pid-namespace-external",
    "tty-stdin",
    "shell-job-session",
  ])
    expect(stands(id)).toBe(false);
  for (const id of ["file-missing", "external-mount-unmapped"]) expect(stands(id)).toBe(true);
  // A work directory that it makes later cannot be looked at; one that is named can.
  expect(stands("work-dir-unwritable")).toBe(false);
  expect(stands("work-dir-unwritable", "", command("--work-path=/w"))).toBe(true);
  expect(stands("external-mount-source-missing", "/host/data")).toBe(true);
  expect(stands("external-mount-source-missing", "/nowhere")).toBe(false);
  expect(stands("external-mount-source-missing", dir)).toBe(true);
});

test("where the runtime writes what goes wrong", () => {
  const of = (...global: string[]) => logOf(parseRuntime([...global, "restore", "c1"], false));
  expect(of("--log", "/l", "--log-format", "json")).toEqual({ path: "/l", json: true });
  expect(of("--log=file:/l")).toEqual({ path: "/l", json: false });
  for (const none of [[], ["--log="], ["--log=/dev/stderr"]]) expect(of(...none)).toBeUndefined();

  const path = join(dir, "log");
  logError({ path, json: true }, 'a "word"');
  logError({ path, json: false }, 'a "word"');
  const [json, text] = readFileSync(path, "utf8").split("\n");
  expect(JSON.parse(json!)).toMatchObject({ level: "error", msg: 'a "word"' });
  expect(text).toMatch(/^time="\S+" level=error msg="a \\"word\\""$/);
});

test("a configuration file that the bundle names goes over the machine's", () => {
  expect(fileOverRequest({ ...bundle, criuConfig: "/c" }, () => "1.28")).toBe("/c");
});

test("options of a plan: as flags, as lines, or not at all", () => {
  expect(
    passOn(
      ["--tcp-established", "--ext-unix-sk", "--manage-cgroups=ignore", "--deprecated"],
      () => "   --tcp-established   allow open tcp connections\n",
      false,
    ),
  ).toMatchObject({
    flags: expect.arrayContaining(["--tcp-established"]),
    lost: ["--manage-cgroups=ignore"],
    lines: expect.arrayContaining(["deprecated\n"]),
  });
});
