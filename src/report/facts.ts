/** What this machine offers a restore, as `doctor` tells it. */
import type { Fact } from "../checks/doctor.ts";
import { bold, green, red, yellow } from "./terminal.ts";
import { joined, type Line, painted, said } from "./told.ts";

export const factLines = (facts: readonly Fact[]): Line[] =>
  facts.flatMap(({ name, state, found, means }) => [
    joined(marks()[state], said` `, painted(bold, said`${name.padEnd(18)}`), said` ${found}`),
    ...(means === null ? [] : [said`                        ${means}`]),
  ]);

const marks = (): Record<Fact["state"], Line> => ({
  ok: painted(green, said`ok  `),
  warning: painted(yellow, said`warn`),
  missing: painted(red, said`lack`),
});
