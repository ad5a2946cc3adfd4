/**
 * The messages of programs that call CRIU, or checkpoint by themselves, as far as they are about that:
 * `scripts/others-messages.ts NAME=CHECKOUT … > test/explain/others.tsv`. A row is the program's name, the source, the
 * format. Nothing else of their text is kept.
 *
 * A source whose path is about checkpoints gives all of its messages; any other those that say so themselves.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** What makes a string a message, by the end of a source's name. */
const calls: Record<string, RegExp> = {
  go: /\b(?:errors\.(?:New|Wrapf?|Errorf)|fmt\.Errorf|status\.(?:Errorf?|New)|(?:\w+\.)*(?:Errorf?|Errorln|Warnf?|Warning[f]?|Fatalf?|System|NotFound|InvalidParameter|Conflict))\(/g,
  c: /\b(?:libcrun_(?:make_error|warning|error)|crun_(?:make_error|error_wrap)|error|pr_err|fprintf|(?:SYS)?(?:ERROR|WARN)|log_(?:error|warn)(?:_errno)?|ret_errno|syserror\w*|warning|guarantee|LOG)\s*\(/g,
  rs: /\b(?:bail!|anyhow!|ensure!|error!|warn!|eprintln!|panic!|expect|context|with_context|Other|InvalidArgument|#\[error|tracing::(?:error|warn)!)\s*\(/g,
  java: /\b(?:\w*(?:Exception|Error)|warn|error|severe|throwing)\s*\(/g,
  nls: /^J9NLS_\w*(?:CRIU|CRAC|CHECKPOINT)\w*=(?=.)/gm,
  py: /\b(?:\w*(?:Exception|Error)|error|warning|critical|print)\s*\(/g,
};
const languages: Record<string, keyof typeof calls> = {
  go: "go",
  c: "c",
  cpp: "c",
  rs: "rs",
  java: "java",
  nls: "nls",
  py: "py",
};

const ofOthers =
  /(?:^|\/)(?:vendor|third_party|testdata|tests?|docs?|examples?|integration|magic-gen|contrib|mock\w*)\/|_test\.go$|\.pb\.go$|_(?:windows|freebsd|darwin|unsupported)\.go$|\/test_|\/build\.rs$|_[a-z]{2}(?:_[A-Z]{2})?\.nls$/;
const about = /criu|checkpoint|(?:^|[/_-])restore|crac(?![a-z])|phaul/i;
const says = /criu|checkpoint|\bcrac\b/i;
const enough = /[A-Za-z]{3}.*[ :]/;
/** Of a call, in letters. */
const LONGEST = 800;

function endOf(file: string): string {
  return file.slice(file.lastIndexOf(".") + 1);
}

function sourcesOf(checkout: string): string[] {
  return readdirSync(checkout, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && Object.hasOwn(languages, endOf(entry.name)))
    .map(({ parentPath, name }) => relative(checkout, join(parentPath, name)))
    .filter((file) => !ofOthers.test(file))
    .sort();
}

/** The first text of each call, as one format: what is put between its pieces is `%s`. */
function messagesOf(source: string, language: string): string[] {
  const messages: string[] = [];
  for (const match of source.matchAll(calls[language]!)) {
    const from = match.index + match[0].length;
    const message =
      language === "nls"
        ? plain(source.slice(from, source.indexOf("\n", from)))
        : formatOf(source, from, language);
    if (message !== undefined) messages.push(message);
  }
  return messages;
}

function formatOf(source: string, from: number, language: string): string | undefined {
  const token =
    /"((?:\\.|[^"\\\n])*)"|`([^`]*)`|'((?:\\.|[^'\\\n])*)'|[(){}[\],;+]|[^\s"'`(){}[\],;+]+/g;
  token.lastIndex = from;
  let format = "";
  let depth = 0;
  let joins = false;
  for (let match = token.exec(source); match !== null; match = token.exec(source)) {
    if (match.index > from + LONGEST) break;
    const [mark] = match;
    const text = match[1] ?? match[2] ?? (language === "py" ? match[3] : undefined);
    if (text !== undefined && (format === "" || joins)) format += text;
    else if (text === undefined && joins && /\w/.test(mark)) format += "%s";
    if ("([{".includes(mark)) depth += 1;
    else if (")]}".includes(mark)) depth -= 1;
    if (depth < 0 || mark === ";" || (mark === "," && format.length > 7)) break;
    // Texts side by side are one in C.
    joins = mark === "+" || (language === "c" && text !== undefined);
  }
  return format === "" ? undefined : plain(format);
}

/** Line ends and places as CRIU's formats have them. */
const plain = (format: string): string =>
  format
    .replace(/\\(["'`\\])/g, "$1")
    .replace(/\\[nrt]|\s+/g, " ")
    .replace(/%[-+#0-9.]*[vwqTxt](?!\w)/g, "%s")
    .replace(/%\d?\$?[lz]+[idu]/g, "%d")
    .replace(/\{[\w:?.#]{0,40}\}/g, "%s")
    .replace(/%\((\w+)\)s/g, "%s")
    .trim();

for (const argument of process.argv.slice(2)) {
  const [name = "", checkout = "", all] = argument.split("=");
  const messages = new Set<string>();
  for (const file of sourcesOf(checkout)) {
    const source = readFileSync(join(checkout, file), "utf8");
    const whole = all === "all" || file.endsWith(".nls") || about.test(file);
    if (all !== "all" && !says.test(source)) continue;
    for (const message of messagesOf(source, languages[endOf(file)]!))
      if (enough.test(message) && (whole || says.test(message)))
        messages.add(`${name}\t${file}\t${message}`);
  }
  for (const row of [...messages].sort()) process.stdout.write(`${row}\n`);
}
