/** Completion for fish. */
import { argumentOf, type CommandWords, operandOf, optionsOf, others } from "./words.ts";

export function fish(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap((command) => [
    `complete -c recriu -n __fish_use_subcommand -f -a ${command.name} -d ${quoted(command.summary)}`,
    ...optionsOf(command).map((option) => {
      const { name, short, help } = option;
      const { kind, words } = argumentOf(option);
      const takes = {
        none: "",
        any: " -x",
        files: " -r -F",
        directories: " -x -a '(__fish_complete_directories)'",
        words: ` -x -a '${words.join(" ")}'`,
        list: ` -x -a '(__recriu_list ${words.join(" ")})'`,
      }[kind];
      const typed = `${short === undefined ? "" : ` -s ${short}`} -l ${name}`;
      return `complete -c recriu -n '__fish_seen_subcommand_from ${command.name}'${typed}${takes} -d ${quoted(help)}`;
    }),
    ...operandLines(command),
  ]);
  return `# fish completion for recriu(8): recriu completion fish
# Words with commas between, behind those that are typed already.
function __recriu_list
    set -l typed (string replace -r '^--?[^=]*=' '' -- (commandline -ct))
    set -l before (string match -r '^.*,' -- $typed)
    for word in $argv
        contains -- $word (string split , -- "$before"); or echo -- "$before$word"
    end
end
complete -c recriu -n __fish_use_subcommand -f -s h -l help -d 'the commands'
complete -c recriu -n __fish_use_subcommand -f -s V -l version -d 'the version'
complete -c recriu -n __fish_use_subcommand -f -a '${others.join(" ")}'
complete -c recriu -n '__fish_seen_subcommand_from help' -f -a '${commands.map(({ name }) => name).join(" ")}'
${lines.join("\n")}
`;
}

function operandLines(command: CommandWords): string[] {
  const { words, isFile } = operandOf(command);
  const here = `complete -c recriu -n '__fish_seen_subcommand_from ${command.name}'`;
  if (words.length > 0) return [`${here}${isFile ? "" : " -f"} -a '${words.join(" ")}'`];
  return isFile ? [] : [`${here} -f`];
}

const quoted = (text: string): string => `'${text.replace(/['\\]/g, "\\$&")}'`;
