/** SCHED_RESET_ON_FORK by the version of CRIU, which is made up here; test/restore/sched-edits.test.ts has a real one. */
import { fixture, image } from "../image/fixture.ts";

export const images = (sched: object) => {
  const thread = { futex_rla: 0n, futex_rla_len: 0, ...sched };
  return { ...fixture(), "core-11.img": image("core-11.img", [{ mtype: 1, thread_core: thread }]) };
};
