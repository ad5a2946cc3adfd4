/** Command lines of runc and crun as their callers write them. */
import { expect, test } from "bun:test";
import { parseRuntime } from "../../src/runtime/arguments.ts";
import { bundleOf } from "../../src/runtime/bundle.ts";
import { criuWordsOf, fileOverRequest, passOn } from "../../src/runtime/request.ts";

const words = (text: string) => text.split(" ");

test("containerd's runc: global options, single dashes, the command's options", () => {
  const parsed = parseRuntime(
    words(
      "--root /run/containerd/runc/k8s.io --log /l.json --log-format json restore --image-path /i --work-path=/w -no-subreaper --detach -b /bundle --pid-file /p c1",
    ),
    false,
  );
  expect(parsed).toMatchObject({ command: "restore", end: 16, container: "c1" });
  expect(Object.fromEntries(parsed.global)).toEqual({
    root: "/run/containerd/runc/k8s.io",
    log: "/l.json",
    "log-format": "json",
  });
  expect(Object.fromEntries(parsed.options)).toEqual({
    "image-path": "/i",
    "work-path": "/w",
    "no-subreaper": "",
    detach: "",
    bundle: "/bundle",
    "pid-file": "/p",
  });
});

test("a value that looks like a command is none; crun's --rootless takes no word", () => {
  expect(parseRuntime(words("--root restore list"), false).command).toBe("list");
  expect(parseRuntime(words("--rootless restore c1"), true).command).toBe("restore");
  expect(parseRuntime(words("--rootless auto restore c1"), false).command).toBe("restore");
  expect(parseRuntime(["--version"], false).command).toBeUndefined();
});

test("a bundle's root and bind mounts, relative ones in the bundle", () => {
  const config = {
    root: { path: "rootfs" },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/data", source: "data", options: ["rbind", "ro"] },
      { destination: "/etc/hosts", type: "bind", source: "/h" },
    ],
  };
  const { root, binds } = bundleOf(JSON.stringify(config), "/b")!;
  expect({ root, binds }).toEqual({
    root: "/b/rootfs",
    binds: [
      { destination: "/data", source: "/b/data" },
      { destination: "/etc/hosts", source: "/h" },
    ],
  });
  for (const bad of ["", "null", "{}", '{"root":{"path":3}}', "[1"])
    expect(bundleOf(bad, "/b")).toBeUndefined();
});

const runcHelp = (modes: string) =>
  `   --shell-job                  allow shell jobs\n   --manage-cgroups-mode value  cgroups mode: ${modes}\n   --bundle value\n`;
const crunHelp =
  "      --manage-cgroups-mode=MODE   cgroups mode: 'soft' (default), 'ignore',\n                             'full' and 'strict'\n      --shell-job            allow shell jobs\n      --tcp-close            allow closed tcp connections\n";

test("options of a plan: the flags that this runtime has, lines of a configuration file, and what its request settles", () => {
  const planned = ["--shell-job", "--deprecated", "--tcp-close", "--manage-cgroups=ignore"];
  const [old, now] = ["'soft' (default), 'full' and 'strict'", "soft|full|strict|ignore"];
  expect(passOn(planned, () => runcHelp(old), false)).toEqual({
    flags: ["--shell-job"],
    lines: ["deprecated\n", "tcp-close\n"],
    lost: ["--manage-cgroups=ignore"],
  });
  expect(passOn(planned, () => runcHelp(now), false)).toEqual({
    flags: ["--shell-job", "--manage-cgroups-mode=ignore"],
    lines: ["deprecated\n", "tcp-close\n"],
    lost: [],
  });
  expect(passOn(planned, () => crunHelp, true)).toEqual({
    flags: ["--shell-job", "--tcp-close"],
    lines: ["deprecated\n"],
    lost: ["--manage-cgroups=ignore"],
  });
  // For what no flag could say the runtime is not asked.
  const unasked = () => expect.unreachable("the runtime was asked");
  expect(passOn(["--deprecated"], unasked, false).lines).toEqual(["deprecated\n"]);
});

test("the configuration file that CRIU puts over a runtime's request: the bundle's word goes first; an older crun has none", () => {
  const bundle = (criuConfig?: string) => ({
    root: "/",
    binds: [],
    ...(criuConfig !== undefined && { criuConfig }),
  });
  expect(fileOverRequest(bundle("/x"))).toBe("/x");
  expect(fileOverRequest(bundle(""))).toBeUndefined();
  expect(fileOverRequest(bundle("/x"), () => "1.28")).toBe("/x");
  expect(fileOverRequest(bundle("/x"), () => "1.21")).toBeUndefined();
});

test("a mode of cgroups that crun forgets is not taken for what it does", () => {
  const command = (crun: boolean) =>
    parseRuntime(words("restore --manage-cgroups-mode ignore --tcp-close c1"), crun);
  const asked = (crun: boolean) => criuWordsOf(command(crun), { root: "/", binds: [] }, crun);
  expect(asked(false)).toContain("--manage-cgroups=ignore");
  expect(asked(true).join(" ")).not.toContain("manage-cgroups");
  for (const crun of [false, true]) expect(asked(crun)).toContain("--tcp-close");
});

test("words behind --, after the container's name, and values that look like options", () => {
  expect(parseRuntime(words("restore --detach -- c1"), false)).toMatchObject({
    end: 2,
    container: "c1",
  });
  const two = parseRuntime(words("restore --detach c1 --bundle=/b c2"), false);
  expect([two.end, two.container, two.options.get("bundle")]).toEqual([2, "c1", "/b"]);
  const given = parseRuntime(words("restore --work-path --auto-dedup --auto-dedup c1"), false);
  expect([given.options.get("work-path"), given.places("auto-dedup")]).toEqual([
    "--auto-dedup",
    [3],
  ]);
  expect(given.places("work-path")).toEqual([]);
});
