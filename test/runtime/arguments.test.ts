/** Command lines of runc and crun as their callers write them. */
import { expect, test } from "bun:test";
import { parseRuntime } from "../../src/runtime/arguments.ts";
import { bundleOf } from "../../src/runtime/bundle.ts";
import { passOn } from "../../src/runtime/request.ts";

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

test("options of a plan: the runtime's flags, lines of a configuration file, and what its request settles", () => {
  expect(passOn(["--shell-job", "--deprecated", "--manage-cgroups=ignore"])).toEqual({
    flags: ["--shell-job"],
    lines: ["deprecated\n"],
    lost: ["--manage-cgroups=ignore"],
  });
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
