import { defineCommand } from "citty";
import { catalogue } from "../checks/index.ts";
import { explain } from "../explain/index.ts";
import { checkPage } from "../report/pages.ts";
import { harmless, line, printText } from "../report/terminal.ts";
import { parseStrictly } from "./arguments.ts";

const args = {
  what: { type: "positional", description: "the id of a check, or a line of CRIU's log" },
} as const;

export const command = defineCommand({
  meta: {
    name: "explain",
    description: "Explain a check by its id, or a line of CRIU's log. Offline.",
  },
  args,
  run({ rawArgs }): number {
    const parsed = parseStrictly("explain", args, rawArgs);
    if (parsed === undefined) return 2;
    const what = parsed.operands.join(" ");
    if (what === "") {
      printText(catalogue.map((check) => `${check.id.padEnd(22)} ${check.title}`).join("\n"));
      return 0;
    }
    const check = catalogue.find((entry) => entry.id === what);
    if (check !== undefined) {
      printText(checkPage(check));
      return 0;
    }
    const explanation = explain(what);
    if (explanation === undefined) {
      line(
        `recriu explain: nothing is known of “${harmless(what)}”; recriu explain lists the checks`,
      );
      return 1;
    }
    printText(`cause   ${harmless(explanation.cause)}\nremedy  ${harmless(explanation.remedy)}`);
    return 0;
  },
});
