/** Numbers that are taken. */
import { type Stage, start } from "../stage.ts";

/** A free number of this machine, and what takes it. */
export const takes = (stage: Stage, number: number) => start(stage, "at-pid", [`${number}`]);
