/**
 * CRIU's configuration files (criu(8), CONFIGURATION FILES; criu/config.c). A line is `name` or `name value`, the name
 * without its dashes, the value possibly in double quotes with `\"` inside; `#` begins a comment, even in quotes.
 *
 * What CRIU does with odd lines is kept, because a file that CRIU reads otherwise than recriu would make recriu promise
 * what does not happen. To know: CRIU makes two words of `manage-cgroups ignore`, and an option with an argument that is
 * optional takes it only after `=`; so that line asks for the default, and `manage-cgroups=ignore` is meant.
 */
type ConfigWords =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly line: number; readonly problem: string };

/** The words that a file's text stands for: `--name`, `value`, …, as getopt gets them. */
export function parseConfig(text: string): ConfigWords {
  const words: string[] = [];
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const [index, line] of lines.entries()) {
    const terminated = !line.includes("\0") && (index < lines.length - 1 || text.endsWith("\n"));
    const statement = parseStatement(cString(line), terminated);
    if (statement === undefined) {
      const problem = "more than one value, or a quote that is not closed";
      return { ok: false, line: index + 1, problem };
    }
    words.push(...statement);
  }
  return { ok: true, words };
}

/** isspace(3) in the C locale; the line's end is gone already. */
const leadingBlanks = /^[ \t\v\f\r]*/;
const notBlank = /[^ \t\v\f\r]/;

/** One line to no, one or two words; undefined where CRIU gives up. `terminated`: it ended in a newline. */
function parseStatement(line: string, terminated: boolean): readonly string[] | undefined {
  const input = line.replace(leadingBlanks, "");
  if (line === "" || input.startsWith("#") || (input === "" && terminated)) return [];
  // A space separates before a tab does, wherever they are.
  const space = input.indexOf(" ");
  const separator = space >= 0 ? space : input.indexOf("\t");
  if (separator < 0) return [`--${input}`];

  const name = `--${input.slice(0, separator)}`;
  const value = input.slice(separator + 1).replace(leadingBlanks, "");
  if (value.startsWith("#")) return [name];
  const valueAt = input.length - value.length;
  const parsed = value.startsWith('"') ? quoted(value, valueAt) : unquoted(value);
  return parsed === undefined ? undefined : [name, parsed];
}

function unquoted(value: string): string | undefined {
  return finish(value, Math.max(value.indexOf(" "), 0));
}

/** `value` begins with a quote, at `valueAt` in its line. */
function quoted(value: string, valueAt: number): string | undefined {
  if (value[1] === '"') return "";
  let end = 1;
  do {
    end = value.indexOf('"', end + 1);
    if (end < 0) return undefined;
  } while (value[end - 1] === "\\");
  const after = value.slice(end + 1);
  if (after.includes(" ") && excess(after)) return undefined;
  return finish(value.slice(1, end), valueAt + 2);
}

/**
 * Unescape, cut the comment off, and refuse a second value. CRIU looks for that from `offset` on, which after a quoted
 * value is an offset in the line instead: a quoted value with a space that far inside is refused, too.
 */
function finish(raw: string, offset: number): string | undefined {
  // A C string in its buffer: what is cut off stays behind the NUL, and CRIU may look there.
  let buffer = raw;
  let from = offset;
  if (raw.includes('\\"')) {
    const unescaped = raw.replaceAll('\\"', '"');
    from += raw.length - unescaped.length + 1;
    buffer = `${unescaped}\0${raw.slice(unescaped.length + 1)}`;
  }
  const comment = cString(buffer).indexOf("#");
  if (comment >= 0) buffer = `${buffer.slice(0, comment)}\0${buffer.slice(comment + 1)}`;

  const tail = cString(buffer.slice(from));
  const space = tail.indexOf(" ");
  if (space >= 0 && notBlank.test(tail.slice(0, -1))) return undefined;
  const value = cString(buffer);
  return space >= 0 && from + space < value.length ? value.slice(0, from + space) : value;
}

/** More than blanks before a comment. Like CRIU, blind for the last character. */
function excess(text: string): boolean {
  const [before = ""] = text.slice(0, -1).split("#", 1);
  return notBlank.test(before);
}

/** What C sees of a text. */
function cString(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

interface ConfigSources {
  /** Files to read, in order: later ones win. */
  readonly files: readonly string[];
  /** `--help` or `-h` stands somewhere, which goes before everything. */
  readonly help: boolean;
}

/**
 * Which configuration files count for CRIU. It looks through all words before it parses them: only whole `--config`
 * counts, no abbreviation, but it counts anywhere, even as another option's value or after `--`.
 */
export function configSources(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ConfigSources {
  let named: string | undefined;
  let defaults = true;
  for (const [index, word] of argv.entries()) {
    if (word === "--help" || word === "-h") return { files: [], help: true };
    if (word === "--no-default-config") {
      defaults = false;
    } else if (word === "--config") {
      named = argv[index + 1];
      defaults = false;
    } else if (word.includes("--config=")) {
      named = word.slice("--config=".length);
      defaults = false;
    }
  }
  const files: string[] = [];
  if (defaults) {
    files.push("/etc/criu/default.conf");
    if (env.HOME !== undefined) files.push(`${env.HOME}/.criu/default.conf`);
  }
  if (env.CRIU_CONFIG_FILE !== undefined) files.push(env.CRIU_CONFIG_FILE);
  if (named !== undefined) files.push(named);
  return { files, help: false };
}
