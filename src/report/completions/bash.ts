/** Completion for bash. */
import {
  argumentOf,
  type CommandWords,
  operandOf,
  optionsOf,
  type OptionWords,
  others,
} from "./words.ts";

/** The option as it stands before its argument: `--name=`, and `--name` and `-n` where it may be the next word. */
function before({ name, short, optional }: OptionWords): string[] {
  if (optional) return [`--${name}=`];
  return [`--${name}`, `--${name}=`, ...(short === undefined ? [] : [`-${short}`])];
}

export function bash(commands: readonly CommandWords[]): string {
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
        words: `_recriu_among -W '${words.join(" ")}'`,
        list: `_recriu_list '${words.join(" ")}'`,
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
    return `  "${command.name} "-*) _recriu_among -W '${typed.join(" ")}' ;;`;
  });
  const operands = commands.map((command) => {
    const { words, isFile } = operandOf(command);
    const acts = [
      ...(words.length > 0 ? [`_recriu_among -W '${words.join(" ")}'`] : []),
      ...(isFile ? ["_recriu_among -f"] : []),
    ];
    return `  "${command.name} "*) ${acts.length === 0 ? ":" : acts.join("; ")} ;;`;
  });
  return `# bash completion for recriu(8): recriu completion bash
_recriu_among() {
  local found
  mapfile -t found < <(compgen "$@" -- "$cur")
  COMPREPLY+=("\${found[@]}")
}

# Words with commas between: those that are typed already are not offered again.
_recriu_list() {
  local before= word
  if [[ $cur == *,* ]]; then before=\${cur%,*},; fi
  for word in $1; do
    if [[ ,$before != *,"$word",* && $before$word == "$cur"* ]]; then COMPREPLY+=("$before$word"); fi
  done
  compopt -o nospace 2>/dev/null
}

_recriu() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    _recriu_among -W '${names} ${others.join(" ")} --help --version'
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
  "help help") _recriu_among -W '${names}' ;;
  *)
    case "$command $cur" in
${lists.join("\n")}
${operands.join("\n")}
    esac
    ;;
  esac
}
complete -o filenames -F _recriu recriu
`;
}
