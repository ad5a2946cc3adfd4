/** Images that a restore with these options needs, and plugins of a CRIU that cannot be looked into. */
import { expect, test } from "bun:test";
import { imageMissing } from "../../src/checks/images.ts";
import { pluginMissing } from "../../src/checks/plugins.ts";
import { fixture, image } from "../image/fixture.ts";
import { withContext } from "./context.ts";

const noOne = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
const opts = {
  so_sndbuf: 0,
  so_rcvbuf: 0,
  so_snd_tmo_sec: 0n,
  so_snd_tmo_usec: 0n,
  so_rcv_tmo_sec: 0n,
  so_rcv_tmo_usec: 0n,
};
const isk = {
  id: 3,
  ino: 0xabc,
  family: 2,
  type: 1,
  proto: 6,
  state: 1,
  src_port: 1000,
  dst_port: 80,
  flags: 0,
  backlog: 0,
  src_addr: [0],
  dst_addr: [0],
  fown: noOne,
  opts,
};

test("image-missing: the queues of a TCP connection that is to go on", () => {
  const whole = fixture();
  const connected = { ...whole, "files.img": image("files.img", [{ type: 4, id: 3, isk }]) };
  const run = (images: Record<string, Uint8Array>, ...options: string[]) =>
    withContext(images, { options }, (context) =>
      imageMissing.run(context).map(({ subject }) => subject),
    );
  expect(run(connected, "--tcp-established")).toEqual(["tcp-stream-abc.img"]);
  expect(run(connected, "--tcp-established", "--tcp-close")).toEqual([]);
  expect(run(connected)).toEqual([]);
  const held = { ...connected, "tcp-stream-abc.img": new Uint8Array(0) };
  expect(run(held, "--tcp-established")).toEqual([]);
  const listening = { ...isk, state: 10, dst_port: 0 };
  const server = image("files.img", [{ type: 4, id: 3, isk: listening }]);
  expect(run({ ...whole, "files.img": server }, "--tcp-established")).toEqual([]);
});

test("with --stream there are no images to miss", () => {
  const run = (...options: string[]) =>
    withContext({}, { options }, (context) => imageMissing.run(context).length);
  expect(run()).toBeGreaterThan(0);
  expect(run("--stream")).toBe(0);
});

test("plugin-missing: no more than a warning where CRIU may not ask", () => {
  const inventory = {
    img_version: 2,
    fdinfo_per_id: true,
    plugins_entry: { plugins: ["amdgpu_plugin"] },
  };
  const images = { ...fixture(), "inventory.img": image("inventory.img", [inventory]) };
  const severities = (version: string, libdir: string) =>
    withContext(images, { version, options: ["--libdir", libdir] }, (context) =>
      pluginMissing.run(context).map(({ severity }) => severity),
    );
  expect(severities("4.1", "/proc/sys")).toEqual(["blocker"]);
  expect(severities("4.0", "/proc/sys")).toEqual(["warning"]);
  expect(severities("4.1", "/nowhere")).toEqual(["warning"]);
});
