import { exitCode } from "../report/outcome.ts";
import { refused, type Told } from "../report/told.ts";
import { parseStrictly } from "./arguments.ts";
import type { Command } from "./command.ts";
import { table } from "./table.ts";

const makers = {
  bash: async () => (await import("../report/completions/bash.ts")).bash,
  zsh: async () => (await import("../report/completions/zsh.ts")).zsh,
  fish: async () => (await import("../report/completions/fish.ts")).fish,
} as const;
const shells = Object.keys(makers).join("|");

const args = {
  shell: {
    type: "positional",
    required: true,
    valueHint: shells,
    description: "bash, zsh or fish: the shell that is to complete the words",
  },
} as const;

export const command: Command = {
  meta: {
    name: "completion",
    description:
      "Print the completion of recriu's commands, options and their values for a shell. The packages install it.",
  },
  args,
  async run({ rawArgs }): Promise<Told> {
    const parsed = parseStrictly("completion", args, rawArgs);
    if (!parsed.ok) return parsed.told;
    const [shell = "", ...others] = parsed.operands;
    if (!Object.hasOwn(makers, shell) || others.length > 0)
      return refused("completion", exitCode.usage, `name one shell: ${shells}`);
    const make = await makers[shell as keyof typeof makers]();
    return { exit: exitCode.ok, text: make(await table()) };
  },
};
