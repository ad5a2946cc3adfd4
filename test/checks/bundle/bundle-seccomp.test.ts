import { bundleSeccomp } from "../../../src/checks/bundle/bundle-seccomp.ts";
import { image } from "../../image/fixture.ts";
import { creds, run, spec, withThread } from "../bundle.ts";
import { expect, test } from "bun:test";

/** BPF instructions: load a word, return a constant. */
const load = [0x20, 0, 0, 0, 0, 0, 0, 0];

const answer = (value: number) => [6, 0, 0, 0, ...new Uint8Array(new Uint32Array([value]).buffer)];

const [ALLOW, ERRNO] = [0x7fff0000, 0x50001];

test("bundle-seccomp: a filter that allows everything is none", () => {
  const asked = spec({}, { seccomp: { defaultAction: "SCMP_ACT_ERRNO" } });
  const filtered = (...filters: { filter: number[]; prev?: number; flags?: number }[]) =>
    withThread(
      { creds, seccomp_mode: 2, seccomp_filter: filters.length - 1 },
      {
        "seccomp.img": image("seccomp.img", [
          {
            seccomp_filters: filters.map((each) => ({
              ...each,
              filter: Uint8Array.from(each.filter),
            })),
          },
        ]),
      },
    );
  const open = { filter: [...load, ...answer(ALLOW)] };
  const refuses = { filter: [...load, ...answer(ERRNO), ...answer(ALLOW)] };
  const byRegister = { filter: [...load, 0x16, ...answer(ALLOW).slice(1)] };
  expect(run(bundleSeccomp, filtered(open), asked)).toEqual(["filter 0"]);
  expect(run(bundleSeccomp, filtered(refuses), asked)).toEqual([]);
  expect(run(bundleSeccomp, filtered(byRegister), asked)).toEqual([]);
  expect(run(bundleSeccomp, filtered(refuses, { ...open, prev: 0 }), asked)).toEqual([]);
  expect(run(bundleSeccomp, filtered(open, { ...open, prev: 0 }), asked)).toEqual(["filter 1"]);
  expect(run(bundleSeccomp, withThread({ creds }), asked)).toEqual(["no filter"]);
  // Of a task whose threads share their filters only the leader has them in the images, with a flag.
  const led = (flags: number) => {
    const images = filtered({ ...refuses, flags });
    const { "core-11.img": follower } = withThread({ creds, seccomp_mode: 0 });
    return run(bundleSeccomp, { ...images, "core-11.img": follower! }, asked);
  };
  expect(led(1)).toEqual([]);
  expect(led(0)).toEqual(["no filter"]);
  // A bundle whose own filter refuses nothing asks for nothing.
  const open2 = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ action: "SCMP_ACT_ALLOW" }] };
  for (const seccomp of [undefined, {}, open2])
    expect(run(bundleSeccomp, withThread({ creds }), spec({}, { seccomp }))).toEqual([]);
});
