/** Completions for bash, zsh and fish. */
import { catalogue } from "../../src/checks/index.ts";
import type { Command, Option } from "./table.ts";

/** What can stand for an option's argument. `any`: no list has it. */
interface Argument {
  readonly kind: "none" | "any" | "files" | "directories" | "words";
  readonly words: string;
}

function argumentOf({ name, value }: Option): Argument {
  const of = (kind: Argument["kind"], words: readonly string[] = []) => ({
    kind,
    words: words.join(" "),
  });
  if (value === undefined) return of("none");
  if (value === "DIR") return of("directories");
  if (value === "FILE" || value === "PATH") return of("files");
  if (name === "only" || name === "ignore")
    return of(
      "words",
      catalogue.map(({ id }) => id),
    );
  const words = value.split("|");
  const literal = words.length > 1 && words.every((word) => /^[a-z]+$/.test(word));
  return literal ? of("words", words) : of("any");
}

const help: Option = { name: "help", optional: false, negatable: false, help: "show the options" };
const optionsOf = ({ options, criu }: Command): Option[] => [...options, ...criu, help];

/** The option as it stands before its argument: `--name=`, and `--name` and `-n` where it may be the next word. */
function before({ name, short, optional }: Option): string[] {
  if (optional) return [`--${name}=`];
  return [`--${name}`, `--${name}=`, ...(short === undefined ? [] : [`-${short}`])];
}

export function bash(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const patterns = new Map<string, string[]>();
  for (const command of commands) {
    for (const option of optionsOf(command)) {
      const { kind, words } = argumentOf(option);
      if (kind === "none") continue;
      const act = {
        any: "",
        files: "_recriu_among -f",
        directories: "_recriu_among -d",
        words: `_recriu_among -W '${words}'`,
      }[kind];
      const typed = before(option).map((word) => `"${command.name} ${word}"`);
      patterns.set(act, [...(patterns.get(act) ?? []), ...typed]);
    }
  }
  const cases = [...patterns].map(([act, words]) => `  ${words.join(" | ")}) ${act} ;;`);
  const lists = commands.map((command) => {
    const typed = optionsOf(command).flatMap(({ name, short }) =>
      short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`],
    );
    return `  "${command.name} "*) _recriu_among -W '${typed.join(" ")}' ;;`;
  });
  return `# bash completion for recriu(8), written by npm run release
_recriu_among() { mapfile -t COMPREPLY < <(compgen "$@" -- "$cur"); }

_recriu() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    _recriu_among -W '${names} --help --version'
    return
  fi
  # Bash takes = for a word of its own: here an option and its = are one again.
  if [ "$cur" = = ]; then
    cur='' prev+==
  elif [ "$prev" = = ]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}=
  fi
  case "$command $prev" in
${cases.join("\n")}
  *)
    if [[ $cur != -* ]]; then
      _recriu_among -f
      return
    fi
    case "$command " in
${lists.join("\n")}
    esac
    ;;
  esac
}
complete -o filenames -F _recriu recriu
`;
}

export function zsh(commands: readonly Command[]): string {
  const described = commands.map(({ name, summary }) => single(`${name}:${summary}`));
  const cases = commands.map((command) => {
    const specs = optionsOf(command).flatMap(zshSpecs);
    return `  ${command.name})\n    _arguments -s \\\n      ${specs.join(" \\\n      ")} \\\n      '*:file:_files'\n    ;;`;
  });
  return `#compdef recriu
# zsh completion for recriu(8), written by npm run release
_recriu() {
  local -a commands=(
    ${described.join("\n    ")}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    _arguments '--help[the commands]' '--version[the version]'
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
${cases.join("\n")}
  esac
}
_recriu "$@"
`;
}

function zshSpecs(option: Option): string[] {
  const { name, short, value = "", optional } = option;
  const { kind, words } = argumentOf(option);
  const what = `[${option.help.replace(/[[\]\\]/g, "\\$&")}]`;
  if (kind === "none")
    return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])].map((typed) =>
      single(`*${typed}${what}`),
    );
  const action = { any: "", files: "_files", directories: "_files -/", words: `(${words})` }[kind];
  const message = value.replace(/[:\\]/g, "\\$&");
  if (optional) return [single(`*--${name}=-${what}::${message}:${action}`)];
  return [`--${name}=`, ...(short === undefined ? [] : [`-${short}+`])].map((typed) =>
    single(`*${typed}${what}:${message}:${action}`),
  );
}

export function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => [
    `complete -c recriu -n __fish_use_subcommand -f -a ${command.name} -d ${fishQuoted(command.summary)}`,
    ...optionsOf(command).map((option) => {
      const { name, short, help: what } = option;
      const { kind, words } = argumentOf(option);
      const takes = {
        none: "",
        any: " -x",
        files: " -r -F",
        directories: " -x -a '(__fish_complete_directories)'",
        words: ` -x -a '${words}'`,
      }[kind];
      const typed = `${short === undefined ? "" : ` -s ${short}`} -l ${name}`;
      return `complete -c recriu -n '__fish_seen_subcommand_from ${command.name}'${typed}${takes} -d ${fishQuoted(what)}`;
    }),
  ]);
  return `# fish completion for recriu(8), written by npm run release
complete -c recriu -n __fish_use_subcommand -f -s h -l help -d 'the commands'
complete -c recriu -n __fish_use_subcommand -f -s V -l version -d 'the version'
${lines.join("\n")}
`;
}

/** Quoted for a POSIX shell. */
const single = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const fishQuoted = (text: string): string => `'${text.replace(/['\\]/g, "\\$&")}'`;
