/** A bundle and a thread for the checks that hold one against the other. */
import { expect } from "bun:test";
import type { Check } from "../../src/checks/index.ts";
import { bundleOf } from "../../src/runtime/bundle.ts";
import { fixture, image } from "../image/fixture.ts";
import { type Faked, withContext } from "./context.ts";
import { creds as withoutRights } from "./rights.ts";

export const creds = { ...withoutRights, cap_amb: [0, 0] };

/** The fixture's task with these members of its leader's thread_core_entry, and other images. */
export function withThread(thread: object, others: Record<string, Uint8Array> = {}) {
  const core = (more: object) => ({
    mtype: 1,
    tc: {
      task_state: 1,
      exit_code: 0,
      personality: 0,
      flags: 0,
      blk_sigset: 0n,
      comm: "task",
      sigactions: [],
    },
    thread_core: { futex_rla: 0n, futex_rla_len: 0, ...more },
  });
  return {
    ...fixture(),
    "core-10.img": image("core-10.img", [core(thread)]),
    "core-11.img": image("core-11.img", [core(thread)]),
    ...others,
  };
}

export const spec = (process: object, linux: object = {}, root: object = {}) =>
  bundleOf(JSON.stringify({ root: { path: "rootfs", ...root }, process, linux }), "/b")!.grants!;

export const run = (
  check: Check,
  images: Record<string, Uint8Array>,
  bundle: ReturnType<typeof spec> | undefined,
  options: string[] = [],
  faked: Faked = {},
) =>
  withContext(images, { options, bundle, host: { exists: () => false }, ...faked }, (context) =>
    [...check.run(context)].map(({ severity, subject }) => {
      expect(severity).toBe("blocker");
      return subject;
    }),
  );
