/** The man pages, in man(7): recriu(8) and one for each command. */
import { settable, variableOf } from "../../src/criu/settings.ts";
import { exits } from "../../src/report/outcome.ts";
import { manuals } from "../../src/cli/manuals.ts";
import { typed } from "../../src/cli/table.ts";
import type { CommandWords, OptionWords } from "../../src/report/completions/words.ts";

export interface Edition {
  readonly version: string;
  /** Of the man pages and of every file in a package; seconds since 1970. */
  readonly epoch: number;
}

/** File name to text. */
export function manPages(commands: readonly CommandWords[], edition: Edition): Map<string, string> {
  const others = commands.map(({ name }) => `recriu-${name}`);
  return new Map([
    ["recriu.8", overview(commands, edition)],
    ...commands.map((command): [string, string] => [
      `recriu-${command.name}.8`,
      commandPage(command, others, edition),
    ]),
  ]);
}

function overview(commands: readonly CommandWords[], edition: Edition): string {
  return page("recriu", edition, [
    section("NAME", "recriu \\- restore a CRIU checkpoint safely"),
    section("SYNOPSIS", `${bold("recriu")} ${italic("COMMAND")} [${italic("OPTIONS")}]`),
    section(
      "DESCRIPTION",
      text(
        "recriu stands in the place of criu restore. It reads the checkpoint first, names everything that would " +
          "break the restore in one report, repairs what is safe to repair, runs the real CRIU, and proves that " +
          "the restored tree is the saved one before it runs.",
      ),
      ".PP",
      text(
        "Called by the name criu it hands everything on to CRIU and prepares restores; called as recriu-runc or " +
          "recriu-crun it is that runtime with its restores made safe.",
      ),
    ),
    section(
      "COMMANDS",
      ...commands.map(({ name, summary }) => item(bold(`recriu-${name}`) + "(8)", summary)),
    ),
    section(
      "OPTIONS",
      item(`${bold("-h")}, ${bold("--help")}`, "the commands; after a command, its options"),
      item(`${bold("-V")}, ${bold("--version")}`, "the version"),
    ),
    exitStatus(),
    environment(),
    files(),
    seeAlso(commands.map(({ name }) => `recriu-${name}`)),
  ]);
}

function commandPage(command: CommandWords, others: readonly string[], edition: Edition): string {
  const { name, summary, description, operands, options, criu } = command;
  const self = `recriu-${name}`;
  const words = [
    `[${italic("OPTIONS")}]`,
    ...(criu.length > 0 ? [`[${italic("CRIU'S OPTIONS")}]`] : []),
    ...operands.map((operand) => `[${italic(operand.name)}]`),
  ];
  return page(self, edition, [
    section("NAME", `${text(self)} \\- ${text(summary)}`),
    section("SYNOPSIS", `${bold(`recriu ${name}`)} ${words.join(" ")}`),
    section("DESCRIPTION", text(description)),
    operands.length === 0
      ? ""
      : section("OPERANDS", ...operands.map((each) => item(italic(each.name), each.help))),
    section("OPTIONS", ...options.map(optionItem), item(bold("--help"), "show the options")),
    criu.length === 0
      ? ""
      : section("CRIU'S OPTIONS", "They have CRIU's meaning.", ...criu.map(optionItem)),
    exitStatusOf(name),
    ...(criu.length === 0 ? [] : [environment(), files()]),
    examplesOf(name),
    seeAlso(["recriu", ...others.filter((other) => other !== self)]),
  ]);
}

const optionItem = (option: OptionWords): string =>
  item(
    typed(option).replace(/[^ ,=[\]]+|./g, (word) =>
      word.startsWith("-") ? bold(word) : /^[\w|]/.test(word) ? italic(word) : text(word),
    ),
    option.help,
  );

const exitStatus = (): string =>
  section(
    "EXIT STATUS",
    ...exits.map(({ code, means }) => item(bold(String(code)), means)),
    item(`128+${italic("n")}`, "ended by signal n"),
  );

function exitStatusOf(name: string): string {
  const { exits: own, signals } = manuals[name]!;
  return section(
    "EXIT STATUS",
    ...Object.entries(own).map(([code, means]) => item(bold(code), means)),
    ...(signals ? [item(`128+${italic("n")}`, "ended by signal n")] : []),
  );
}

const examplesOf = (name: string): string =>
  section("EXAMPLES", ...manuals[name]!.examples.map(([words, does]) => item(bold(words), does)));

const environment = (): string =>
  section(
    "ENVIRONMENT",
    ...settable.map((name) => item(bold(variableOf(name)), `as --${name}`)),
    item(bold("NO_COLOR"), "no colours"),
    item(bold("CRIU_CONFIG_FILE"), "CRIU's own: a configuration file of CRIU"),
  );

const files = (): string =>
  section(
    "FILES",
    item(
      italic("/etc/recriu/recriu.conf"),
      `may set ${settable.join(", ")}, in the syntax of CRIU`,
    ),
    item(italic("/etc/criu/default.conf"), "CRIU's own configuration, read as CRIU reads it"),
    item(italic("/run/recriu"), "journals of repairs that are not taken back yet"),
  );

const seeAlso = (names: readonly string[]): string =>
  section("SEE ALSO", [...names, "criu"].map((name) => `${bold(name)}(8)`).join(",\n"));

function page(name: string, { version, epoch }: Edition, sections: readonly string[]): string {
  const date = new Date(epoch * 1000).toISOString().slice(0, 10);
  const title = `.TH ${text(name.toUpperCase())} 8 ${date} "recriu ${version}" "recriu's manual"`;
  return `${[title, ...sections.filter((each) => each !== "")].join("\n")}\n`;
}

const section = (name: string, ...lines: string[]): string =>
  [`.SH ${/ /.test(name) ? `"${name}"` : name}`, ...lines].join("\n");
const item = (head: string, body: string): string => `.TP\n${head}\n${text(body)}`;
const bold = (words: string): string => `\\fB${text(words)}\\fR`;
const italic = (words: string): string => `\\fI${text(words)}\\fR`;

/** Plain words as man(7) wants them: no accidental request, no dash that becomes a hyphen. */
function text(words: string): string {
  return words
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("…", "...")
    .replaceAll("`", "\\(ga")
    .replace(/[^\x00-\x7f]/gu, (char) => `\\[u${hex(char)}]`)
    .replace(/^[.']/gm, "\\&$&");
}

const hex = (char: string): string =>
  char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
