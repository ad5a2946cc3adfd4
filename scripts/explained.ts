/** Of all that CRIU can print as an error (test/explain/messages.tsv, made by criu-messages.ts), what recriu explain knows. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Entry } from "../src/explain/entry.ts";
import { find, type Found } from "../src/explain/find.ts";
import { entries, index } from "../src/explain/entries/index.ts";
import { logReader } from "../src/explain/log.ts";

export interface Message {
  readonly file: string;
  /** d, r, c, s: what criu-messages.ts says. */
  readonly ways: string;
  /** CRIU's format; a call that ends in the words of an errno ends in `: %m`. */
  readonly format: string;
}

const rowsOf = (name: string): string[][] =>
  readFileSync(join(import.meta.dir, "../test/explain", name), "utf8")
    .trimEnd()
    .split("\n")
    .map((row) => row.split("\t"));

export const messages: readonly Message[] = rowsOf("messages.tsv").map(
  ([file = "", ways = "", format = ""]) => ({ file, ways, format }),
);

/** What CRIU 1.8 to 4.1 could print, and 4.2 cannot, in these words. */
export const earlier: readonly Message[] = rowsOf("messages-before.tsv").map(
  ([file = "", ways = "", format = ""]) => ({ file, ways, format }),
);

/** What programs around CRIU say of checkpoints and restores (others-messages.ts; of CRaC by hand): the program, its source, the format. */
export const others: readonly { by: string; format: string }[] = rowsOf("others.tsv").map(
  ([by = "", , format = ""]) => ({ by, format }),
);

/** What earlier releases of theirs said, and today's do not: Podman 0.10 to 5.0, runc from 1.0.0-rc2, Docker from 1.13 and others. */
export const othersEarlier: readonly { by: string; format: string }[] = rowsOf(
  "others-before.tsv",
).map(([by = "", , format = ""]) => ({ by, format }));

/** LXC marks its own lines, which are told by that where their words are not known. */
const asPrinted = (by: string, line: string): string =>
  by === "LXC" ? `lxc web 20240101000000.000 ERROR    criu - criu.c:do_dump:1 - ${line}` : line;

/** Whether `recriu explain` tells something of it, alone. */
export function isToldOf({ by, format }: { by: string; format: string }): boolean {
  const reader = logReader({ words: true });
  reader.feed(Buffer.from(asPrinted(by, lineOf(format, "Permission denied"))));
  const { said, explanation } = reader.end();
  // What is only like something that is known is not counted.
  return (said ?? explanation ?? { like: "" }).like === undefined;
}

/** Entries of which a real CRIU has printed the line, on a stage of test/restore. */
export const seen = (): ReadonlySet<Entry> =>
  new Set(
    rowsOf("seen.tsv").flatMap(
      ([, file, message = ""]) => find(index(), message, { file })?.entry ?? [],
    ),
  );

/** A line as CRIU would print it. */
export const lineOf = (format: string, errno: string): string =>
  format
    .replace(/%m$/, errno)
    .replace(/%[-#0-9.*]*(?:l|h|z|j)*[duixXpo]/g, "3")
    .replace(/%[-0-9.*]*[sc]/g, "name");

/** One that no entry lists by itself, one that many list, and one that no entry expects. */
const errnos = [
  "Operation not permitted",
  "No such file or directory",
  "Value too large for defined data type",
];

/** What is known of a message, where something is, of that source and whatever the errno. */
export function known({ file, format }: Message): Found | undefined {
  const found = errnos.map((errno) => find(index(), lineOf(format, errno), { file }));
  return found.every((one) => one?.entry.files.includes(file)) ? found[0] : undefined;
}

/** Sources were moved and divided: of an earlier message it is enough that some entry tells of it, whatever the errno. */
export const isKnown = ({ file, format }: Message): boolean =>
  errnos.every((errno) => find(index(), lineOf(format, errno), { file }) !== undefined);

export interface Count {
  all: number;
  known: number;
  /** Of the known: CRIU says itself what is the matter. */
  plain: number;
  /** Of the known: it only says that something failed before. */
  trailers: number;
}

export function countOf(some: readonly Message[]): Count {
  const found = some.map(known).filter((one) => one !== undefined);
  const plain = found.filter(({ entry }) => entry.plain).length;
  const trailers = found.filter(({ entry }) => entry.trailer).length;
  return { all: some.length, known: found.length, plain, trailers };
}

const percent = ({ all, known: some }: Count): string => `${((100 * some) / all).toFixed(1)} %`;

/**
 * What was measured when a set had just been collected; nothing can count that again. test/explain/sets.tsv: name, kind,
 * pastes, and of these right, of use, too general, wrong, not known, said to be no log.
 */
function pastes(): string[] {
  const sets = rowsOf("sets.tsv").map(([name, kind, ...counts]) => ({
    name: name!,
    kind: kind!,
    counts: counts.map(Number),
  }));
  const row = (name: string, kind: string, [all = 0, right = 0, ...rest]: number[]): string =>
    `| ${[name, kind, all, `${right} (${Math.round((100 * right) / all)} %)`, ...rest].join(" | ")} |`;
  const sums = [...Map.groupBy(sets, ({ kind }) => kind)].map(([kind, some]) =>
    row(
      `all ${some.length}`,
      kind,
      some[0]!.counts.map((_, at) => some.reduce((sum, { counts }) => sum + counts[at]!, 0)),
    ),
  );
  return [
    "Right is an answer that names what failed in this paste and what helps against it; of a paste without a reason one that says so, and where the reason stands or what to bring; of what has nothing to do with CRIU that no line of it is CRIU's; of a success that it is one. Of use is an honest next step, told as that and not as a cause. Words that are not about it at all and get no cause are right, words about it that are called no log are not. A remedy for another case of the same message does not help and counts as wrong.",
    "Each set was measured when it had just been collected, before anything was mended for it. What was not right has been mended for since, by kinds, and machines' words and commands of all sets are tests now: no row says what is right today.",
    [
      "- *natural*: drawn as searches of what people run and what fails there gave them, collected by one and judged by another, neither of whom had seen sources, tables or this page; threads of earlier sets are not left out, as people have what people had before. By now that is most of what is public: 223 of the 250 of the forty-third to forty-fifth had been in a set before. Of the 198 pastes of the thirty-fifth to fortieth whose threads no entry cites and no set before had, 147 were right (74 %); of the 21 such in the forty-third to forty-fifth, 17.",
      "- *independent*: likewise; from the thirty-third on without the threads of the sets before, so that they are of what is left when the usual is taken out: old releases, tests of developers, rare programs.",
      "- *of one area* (old or rare messages; engines; CRIU's own issues) and *by its author*: collected, judged and mended for by the same hand.",
    ].join("\n"),
    [
      "| set | kind | pastes | right | of use | too general | a remedy that does not help | not known | said to be no log, or without an error, and was not |",
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
      ...sets.map(({ name, kind, counts }) => row(name, kind, counts)),
      ...sums,
    ].join("\n"),
    "Of 4,799 messages of programs that have nothing to do with CRIU (Docker's other sources, Slurm, HTCondor, Apptainer) 5 were given a cause, and 1 a place to look.",
  ];
}

/** docs/explain.md. */
export function explainPage(): string {
  const total = countOf(messages);
  const ofWay = (way: string) => countOf(messages.filter(({ ways }) => ways.includes(way)));
  const [restore, dump, check] = ["r", "d", "c"].map(ofWay) as [Count, Count, Count];
  const rows = [...Map.groupBy(messages, ({ file }) => file)].map(([file, some]) => {
    const { all, known: explained, plain } = countOf(some);
    return `| ${file} | ${all} | ${explained} | ${plain === 0 ? "" : plain} |`;
  });
  const otherRows = [...Map.groupBy(others, ({ by }) => by)].map(
    ([by, some]) => `| ${by} | ${some.length} | ${some.filter(isToldOf).length} |`,
  );
  const all = entries();
  const before = { all: earlier.length, known: earlier.filter(isKnown).length };
  const pasted = readdirSync(join(import.meta.dir, "../test/explain/pastes")).map(
    (name) => rowsOf(`pastes/${name}`).length,
  );
  const reported = all.filter((entry) => entry.reported.length > 0).length;
  const runtimes = all.filter(({ files }) => files.length === 0).length;
  const warnings = all.filter(({ warning }) => warning).length;
  return `${[
    "# What recriu explain knows",
    "Written by `npm run docs`. `recriu explain` reads logs of CRIU, dumps and restores alike, in whatever form they travel: quoted, numbered, coloured, in the fields of another log, several in one; the line of a runtime that says no more than where CRIU's log is; a message alone. `src/explain/entries/` has the tables; `recriu explain --list` prints the messages.",
    "## Of all that CRIU can print",
    `CRIU 4.2 calls pr_err, pr_perror and libsoccr's own in ${total.all} places (\`scripts/criu-messages.ts CHECKOUT\` lists them; the programs that only build or test CRIU are left out). Each was fed by itself, with its source and three errnos, and counts as known where an entry of that source tells of it with every one of these. What leads to a message is found by which names a function mentions, so that some count for ways on which they cannot happen.`,
    [
      "| | messages | known | | of these said well by CRIU itself | of these mere consequences |",
      "| --- | --- | --- | --- | --- | --- |",
      ...(
        [
          ["all", total],
          ["can end a restore", restore],
          ["can end a dump", dump],
          ["can be met by criu check", check],
        ] as const
      ).map(
        ([name, count]) =>
          `| ${name} | ${count.all} | ${count.known} | ${percent(count)} | ${count.plain} | ${count.trailers} |`,
      ),
    ].join("\n"),
    "Not known are those whose words all come from elsewhere (`%s: %s`).",
    `CRIU 1.8 to 4.1 (fifteen of their releases) had ${before.all} messages more, in other words; of these ${before.known} are known (test/explain/messages-before.tsv).`,
    "## Where entries come from",
    `${all.length} entries: of ${seen().size} a real CRIU printed the line on a stage of \`test/restore\` (test/explain/seen.tsv, which \`scripts/seen.ts\` makes of such a run), ${reported} are of lines in public threads, ${runtimes} are of container runtimes and engines, ${warnings} of warnings. The others were read in CRIU's sources, or the runtimes', where the message stands: nobody here has seen them happen, and whether their remedy helps was not tried.`,
    "One entry may be of many messages; it says of each what failed. An entry for one errno is not told of another. Where nothing is known of the first error, that is said, and what is known of a later one only as that.",
    "## Of what people paste",
    ...pastes(),
    `${pasted.reduce((sum, one) => sum + one)} pastes are tests (\`test/explain/pastes/\`), beside \`pastes.tsv\`, whose messages were chosen by the author of the entries.`,
    "## Of what the programs around CRIU say",
    "Messages about checkpoints and restores in the sources of runtimes, engines, JVMs and tools (`scripts/others-messages.ts NAME=CHECKOUT …` lists them: all of a source whose path is about that, of others those that say so; of CRaC, whose JDK is too large to fetch here, read by hand). Each was fed by itself. Known is what an entry tells of, or LXC's own mark on its lines; many others only say that writing a file failed.",
    `| program | messages | known |\n| --- | --- | --- |\n${otherRows.join("\n")}`,
    `Of ${othersEarlier.length} messages that earlier releases had in other words (Podman 0.10 to 5.0, runc from 1.0.0-rc2, crun from 0.14, Docker from 1.13, containerd from 1.0, CRI-O from 1.24, LXC from 1.1, LXD from 2.0; test/explain/others-before.tsv) ${othersEarlier.filter(isToldOf).length} are known.`,
    "## Of what nothing is known",
    "Where no entry has the first error, or others' words, that is said, and then where to look, as that and not as a cause (`lead` under `--json`): what CRIU does in the source of that line, or what the words are about (`src/explain/subjects.txt`); what the kernel means by the errno, and what it was asked, as far as C, Go, Python, Rust or strace(1) say it; commands that show it; and the checks with which `recriu preflight` looks at it before a restore. The exit code stays 1.",
    "## Exit codes",
    "0: explained (also a line that only comes of something else, or behind which CRIU goes on or may have gone on, as that), or the log is of a success. 1: nothing is known of it, or no line of it says what failed. 2: no log of CRIU's, or it cannot be read.",
    "## By source",
    `| source | messages | known | said well by CRIU itself |\n| --- | --- | --- | --- |\n${rows.join("\n")}`,
  ].join("\n\n")}\n`;
}
