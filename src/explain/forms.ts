/**
 * The forms in which a line of CRIU's log travels to whoever reads it: quoted, numbered, coloured, in another log's fields,
 * several in one. `unwrap` gives the lines as CRIU wrote them.
 */

// Every repetition has an end: a hostile line costs its length, not the square of it.
/** What begins a line of CRIU's: `(00.012345)`, `pie: 12: `, `Error (criu/mount.c:1): `. */
const begins =
  /(?:\(\d{1,9}\.\d{1,9}\)\s{0,16})?(?:\d{1,10}:\s)?\s{0,16}(?:pie: (?:\d{1,10}: )?)?(?:Error|Warn)\s{0,2}\([^\s():]{1,80}\.[ch](?:: ?\w{1,6})?\): ?|\(\d{2,9}\.\d{6}\)/;
const everyBegin = new RegExp(begins, "g");
/** What may stand before it, of the log or of who quotes it. */
const inFront = String.raw`[\s>*+\x60'"-]{0,8}(?:\(?\d{1,9}\.\d{1,9}\)?\s{1,16})?(?:\d{1,10}:\s{1,4})?`;
const source = String.raw`(?:criu|compel|soccr|lib|plugins)\/(?:[\w-]{1,40}\/){0,4}[\w-]{1,40}\.[ch]:\d{1,6}`;
/**
 * Its beginning, as somebody wrote it anew or a selection cut it off: `ERROR: [criu/a.c:1] `, `Error criu/a.c:1: `,
 * `(criu/a.c:1): `, `ror (a.c:1): `, `iu/a.c:1): `. Of what is left of less only the message counts.
 */
const mangled = new RegExp(
  `^(${inFront})(?:${[
    String.raw`(?:e|err|error|rror|ror|or|r)\s?:?\s{0,2}[([]((?:[\w-]{1,40}\/){0,4}[\w-]{1,40}\.[ch]:\d{1,6})[)\]]\s?[-:]?`,
    String.raw`err(?:or)?\s?:?\s(${source}):`,
    String.raw`[([]?(${source})[)\]]:?`,
    String.raw`((?:[\w-]{0,40}\/){0,4}[\w-]{1,40}\.[ch]:\d{1,6})\):`,
    String.raw`(?:\.[ch]:)?:?\d{0,6}\):`,
  ].join("|")})\\s*(?=[\\w-])`,
  "i",
);
const remade = (line: string): string =>
  line.replace(mangled, (_, said: string, ...places: unknown[]) => {
    const [first, second, third, cut] = places.map((each) =>
      typeof each === "string" ? each : "",
    );
    const place = cut ? `…${cut}` : first || second || third;
    return place ? `${said}Error (${place}): ` : said;
  });

/** What makes the text of a quoted field worth a look of its own. */
const telling = /\b(?:Error|Warn)\s*\(|\(\d{2,}\.\d{6}\)|criu|CRIU|log file/;
/** Colours and their like, as bytes and as logs print them. */
// eslint-disable-next-line no-control-regex
const colours = /(?:\u001b|\\u001b|\\x1b|\\e|\\033|#033|\^\[)\[[\d;]*[A-Za-z]/g;
const entity = /&(?:#39|#34|#x27|apos|quot|gt|lt|amp|nbsp);/g;
const entities: Record<string, string> = {
  "&#39;": "'",
  "&#x27;": "'",
  "&apos;": "'",
  "&#34;": '"',
  "&quot;": '"',
  "&gt;": ">",
  "&lt;": "<",
  "&amp;": "&",
  "&nbsp;": " ",
};
/** Of HTML, of Jira and of a wiki, around what was quoted. */
const markup =
  /<\/?(?:code|pre|strong|em|tt|kbd|samp|span|blockquote|a(?= |>)|b(?=>))(?: [^<>\n]{1,300})?>|\{(?:code|noformat|quote)(?::\w{1,16})?\}|\|\||~~(?=\S)|(?<=\S)~~/g;
/** Line ends that a log has written out: of JSON and Go, of rsyslog, of HTML. */
const written = /\\{1,8}r\\{1,8}n|\\{1,8}n(?!\w{0,40}\.(?:c|h|img)\b)|#012|<br ?\/?>/g;
/** The path of CRIU's log in a field of its own. */
const logField = /"\w{0,20}log_?(?:file|path)\w{0,8}"\s{0,4}:\s{0,4}"(\/[^"\s\\]{1,300}\.log)"/;
/** Fields in fields: a container's JSON in the kubelet's message in the journal. */
const DEEPEST = 4;

/** A name that the kernel's audit writes in hexadecimal, as it has a space or a zero in it. */
const audited = /\b(path|name|comm|exe|proctitle|saddr)=((?:[0-9A-F]{2}){4,256})(?![0-9A-Za-z])/g;
const decoded = (_: string, field: string, hex: string): string =>
  `${field}="${Buffer.from(hex, "hex")
    .toString("latin1")
    .replace(/\0/g, "@")
    .replace(/[^ -~]|"/g, "?")}"`;

/** A line of a log, or of what somebody pasted, as the lines that it holds. */
export function unwrap(text: string, depth = 0): string[] {
  const clean = text
    .replace(colours, "")
    .replace(entity, (name) => entities[name]!)
    .replace(markup, "")
    .replace(/(?<=n)\u2019(?=t\b)/g, "'")
    .replace(/[\u00a0\u200b\ufeff]/g, " ")
    .replace(audited, decoded)
    // The columns of a page that a paste was copied from.
    .replace(/(?: \|){1,2}[ \t]*$/, "");
  if (depth < DEEPEST && clean.includes('"')) {
    const fields = fieldsOf(clean);
    const named = depth === 0 ? logField.exec(clean)?.[1] : undefined;
    // What stands behind them is somebody's own sentence.
    const rest = clean.slice(clean.lastIndexOf('"') + 1).trim();
    if (fields.length > 0)
      return [
        ...fields.flatMap((field) => unwrap(field, depth + 1)),
        ...(rest.includes(" ") ? unwrap(rest, DEEPEST) : []),
        ...(named === undefined ? [] : [`log file: ${named}`]),
      ];
  }
  return clean
    .split(/[\r\n]+/)
    .map(remade)
    .flatMap((line) =>
      telling.test(line) ? line.split(written).flatMap(split) : line === "" ? [] : [line],
    );
}

/** Quoted texts of a line, without their quotes, that hold lines of CRIU's or words about it. */
function fieldsOf(line: string): string[] {
  // What CRIU itself has quoted stands behind its own beginning.
  const at = line.search(begins);
  const own = at < 0 ? line.length : at;
  const fields: string[] = [];
  for (const match of line.matchAll(/"((?:\\.|[^"\\])*)"?/gs)) {
    if (match.index > own) break;
    const inner = match[1]!;
    if (inner.includes(" ") && telling.test(inner)) fields.push(unescape(inner));
  }
  return fields;
}

const unescape = (text: string): string =>
  text.replace(/\\(u[0-9a-fA-F]{4}|.)/gs, (_, code: string) => {
    if (code.length > 1) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return code === "n" || code === "r" ? "\n" : code === "t" ? "\t" : code;
  });

/** Without the end of a quotation of which the beginning was cut off. */
const unclosed = (text: string): string => {
  const mark = /(?:`{1,3}|["'])$/.exec(text)?.[0];
  if (mark === undefined) return text;
  // Of an apostrophe within a word none is the end.
  const marks = mark === "'" ? text.replace(/\w'\w/g, "") : text;
  return marks.split(mark).length % 2 === 0 ? text.slice(0, -mark.length) : text;
};

/** Lines of CRIU's that stand one behind the other, and what is before them. */
function split(line: string): string[] {
  const starts = Array.from(line.matchAll(everyBegin), ({ index }) => index);
  if (starts.length === 0) return [line];
  const opener = /(?:\*\*|__|`{1,3}|["']|<code>)$/.exec(line.slice(0, starts[0]).trimEnd())?.[0];
  const pieces = starts.map((start, at) => line.slice(start, starts[at + 1]).trim());
  if (opener !== undefined) {
    const last = pieces.at(-1)!;
    const close = last.lastIndexOf(opener.replace("<", "</"));
    if (close >= 0) pieces[pieces.length - 1] = last.slice(0, close).trimEnd();
  } else pieces.push(unclosed(pieces.pop()!));
  return [line.slice(0, starts[0]), ...pieces].filter((piece) => piece.trim() !== "");
}
