/** Completion for zsh. */
import {
  argumentOf,
  type CommandWords,
  operandOf,
  optionsOf,
  type OptionWords,
  others,
  single,
} from "./words.ts";

export function zsh(commands: readonly CommandWords[]): string {
  const described = commands.map(({ name, summary }) => single(`${name}:${summary}`));
  const cases = commands.map((command) => {
    const specs = [...optionsOf(command).flatMap(specsOf), ...operandSpec(command)];
    return `  ${command.name})\n    _arguments -s \\\n      ${specs.join(" \\\n      ")}\n    ;;`;
  });
  return `#compdef recriu
# zsh completion for recriu(8): recriu completion zsh
_recriu() {
  local -a commands=(
    ${described.join("\n    ")}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    compadd ${others.join(" ")}
    _arguments '--help[the commands]' '--version[the version]'
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
${cases.join("\n")}
  help) _describe command commands ;;
  esac
}
# As a file of fpath zsh runs it as the function; else it is sourced.
if [[ $funcstack[1] == _recriu ]]; then _recriu "$@"; else compdef _recriu recriu; fi
`;
}

function operandSpec(command: CommandWords): string[] {
  const { words, isFile } = operandOf(command);
  if (words.length === 0) return isFile ? ["'*:file:_files'"] : [];
  if (!isFile) return [single(`:word:(${words.join(" ")})`)];
  return [single(`*:what:{_alternative "ids:id:(${words.join(" ")})" "files:file:_files"}`)];
}

function specsOf(option: OptionWords): string[] {
  const { name, short, value = "", optional } = option;
  const { kind, words } = argumentOf(option);
  const what = `[${option.help.replace(/[[\]\\]/g, "\\$&")}]`;
  if (kind === "none")
    return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])].map((typed) =>
      single(`*${typed}${what}`),
    );
  const action = {
    any: "",
    files: "_files",
    directories: "_files -/",
    words: `(${words.join(" ")})`,
    list: `{_values -s , ${name} ${words.join(" ")}}`,
  }[kind];
  const message = value.replace(/[:\\]/g, "\\$&");
  if (optional) return [single(`*--${name}=-${what}::${message}:${action}`)];
  return [`--${name}=`, ...(short === undefined ? [] : [`-${short}+`])].map((typed) =>
    single(`*${typed}${what}:${message}:${action}`),
  );
}
