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

/** What was measured when a set had just been collected; nothing can count that again. */
const PASTES = `Right is an answer that names what failed in this line and what helps against it; of a paste without a reason one that says so, and where the reason stands or what to bring; of what has nothing to do with CRIU that no line of it is CRIU's; of a success that it is one. Words that are not about it at all and get no cause are right, words about it that are called no log are not. A remedy for another case of the same message does not help and counts as wrong.

Twenty-seven sets were collected from public threads and, the third and fourth, CRIU's own commit messages, which go back to its first years (of the first also 61 by hand, forms and errnos); each was measured before anything was mended for it, and every answer read. The first six were collected by somebody who had not seen the entries, all later ones by their author, who took what each search of the threads gave, wrote down beforehand what the answer has to say, and left out threads of earlier sets and those that an entry cited. Each set is therefore of what the one before did not have: the lines that most people paste are long in the tables. From the fifth on there is more than before of what engines, JVMs and tools say with no line of CRIU's in it. The fifth and sixth were collected together, and the sixth read when the fifth had been mended for (16 of it were looked for only then: 11 of these were right, and 11 of the other 26). The seventh was measured when the messages of the programs below had been read, each later one when the one before had been mended for. From the thirteenth on two were collected together, and one thread or file after another given to the one or the other by a random number (seeds 20261129, 1530, 1718 and 1920): the first of the two was measured, read and mended for, the second, which is held back, measured once and read only then. In the thirteenth to sixteenth most pastes are of notes, tests and logs in public repositories, where people shorten lines, break them and leave numbers out; from then on of threads, gists and wikis again. The nineteenth is what a last search had that no set and no entry cites, held back whole. The twentieth and twenty-first were collected together (seed 2011) when words nearest to a message were looked for, before what missed in the twentieth was mended; half of both are not logs but notes, tables and sentences that quote a few words. The twenty-second is held back whole; five of its misses are one message, of which four searches of one string gave six pastes. The twenty-third to twenty-seventh are only of what a person holds in hand when a checkpoint or restore failed (a log, a message, what a terminal shows), from threads that no set and no entry had; the twenty-third was measured before anything of that round was mended, each later one when those before had been mended for. The twenty-sixth and twenty-seventh are what searches still gave when those gave almost nothing new: half of the twenty-sixth and most of the twenty-seventh have no line of CRIU's.

Of these five some answers that are no cause are an honest next step (the subject, the errno's meaning in that place, where the program that speaks says more, or what it is not): with them 40 of 59, 19 of 24, 13 of 15, 28 of 34 and 4 of 10 were of use; by the code of before 39, 18, 12, 25 and 4. What was mended for them are kinds: what earlier releases of engines said, read in their sources; other checkpointers (gVisor), compilers and debuggers; a message over several lines; denials in the kernel's log; how a restored program ended; names in a value that people replaced by dots; another source's message that only begins alike, told as this one's; a file's usual remedy where a known fault has its own; and no entry at all, above. What was not known in all five is mostly of others: a program's own words for a case that its sources have in no message about checkpoints.

Of the misses in the held-back sets fourteen to nineteen 21 can be had again by the code of then (the others were found by reading: too general, or a remedy of another case): words shortened, broken, in a table or in a sentence 9, what compilers, tests and tracers say 6, an exception by its name alone 2, a runtime's own words 2, another case of the same message 2. The rules since: the nearest words where none are whole, told as such (test/explain/shortened.test.ts: of every fourth of CRIU's messages, shortened in four ways, at least 65 to 80 % of each are told as the whole one is, and one in sixteen at most as another); what is about CRIU is known by its options, subsystems and tests; few letters are no explanation where nothing else is about a checkpoint. Of 4,000 messages of programs that have nothing to do with it (Docker's other sources, Slurm, HTCondor, Apptainer) 60 were given a cause before, 8 since; of 4,799 drawn anew when the twenty-seventh had been mended for, 5, and 1 a place to look.

The twenty-eighth is an independent set: collected and judged by one who had seen neither the sources nor the tables nor this page, from threads as searches give them, earlier sets' threads not left out; of its 134 pastes 100 answers were right before anything was mended for it, and 18 more of use (88 % together). It has been mended for since, by kinds, and is a test now, so that it measures nothing any more. The twenty-ninth is independent in the same way, collected and judged by a second one from threads as searches give them (22 of its 90 threads were cited by the tables already): 65 right before mending (72 %), 8 more of use (81 % together); it is a test since, too. The thirtieth was collected and judged by a third one; 45 of its 160 threads were cited by the tables' entries: of these 43 were right, of the other 115 86 (75 %), and 14 more were of use (143 together, 89 %); it is a test since. The thirty-first was collected by one and judged by another, neither of whom had seen the sources; 24 of its 100 threads were cited by entries (all of these were right), of the other 76 56 were right (74 %), and 60 of use; it has been mended for since, and is a test. The thirty-second was collected by one and judged by another in the same way, and has more of CRIU's commit messages and old logs than the others: 49 of its 80 were right before mending (61 %); 18 of its threads were cited by entries (16 of these were right), of the other 62 33 were right (53 %), and 43 of use; it has been mended for since only in part, and is a test of what is said now. The set criu is of one area, CRIU's own issues and pull requests of odd number, commit messages, and those of checkpointctl and go-criu: collected, judged and mended for by the same one, so that it is a measure only of what was before: 72 of its 104 were right (69 %), 14 more of use (83 % together); 20 of its threads were cited by entries (18 of these were right), of the other 84 54 were right (64 %). What was mended for are kinds: what CRIU's own tests say of themselves, errors without a source's name, faults that tests ask for, what compilers and Python say of CRIU's sources.

The set called old is of what is old or rare: CRIU's commit messages from its first years on, JVMs, GPUs, other processors, its own tests, from threads that no set before it had. It was collected, judged and mended for by the same one, so that it measures what was, and nothing now: 44 of its 101 were right before mending (44 %), and 12 more of use.

The set named engines is of one area, what Podman, Docker, runc, containerd, Kubernetes, LXC, LXD, OpenVZ, Proxmox and gVisor say, from threads, notes and manuals that searches gave; it was collected, judged and mended for by the same hand, so that its row says only what was right before. Eight more of its 86 answers were of use.

The thirty-third, collected by one and judged by another after these three areas had been mended for, with none of its threads in any set before it: 85 of its 110 were right (77 %), 9 more of use; 13 of its threads were cited by entries (all of these right), of the other 97 72 were right (74 %). What was CRIU's or a command in those that were not right, and in others of their kinds, is a test since they were mended for (thirty-third-read, thirty-third-known).

The thirty-fourth came after what the thirty-third had shown was mended for; likewise, with at most ten commit messages: 62 of its 80 were right (78 %), 7 more of use; 13 of its threads were cited by entries (all of these right), of the other 67 49 were right (73 %). Of those 17 had no cause in them, which was said; of pastes with a cause, whose thread no entry cites, 32 of 46 were right (70 %).

The thirty-fifth to fortieth are natural: drawn as searches of what people run and what fails there gave them, without a look at which threads earlier sets had had (of those of CRIU's own issues two of three, of the others one of three), each collected by one and judged by another, neither of whom had seen the sources; none has a thread of the others of these six. The thirty-fifth (CRIU's issues) and thirty-sixth (all else) were judged together, and what they had shown was mended for, by kinds, before the thirty-seventh (CRIU's issues) and thirty-eighth (all else) were; so it was before the thirty-ninth, and before the fortieth (both half and half): 405 of 470 were right (86 %), 32 more of use (93 %). Of the 198 pastes of threads that no entry cites and no set before these had 147 were right (74 %). What was a command or machine's words in those that were not right is a test since (thirty-fifth to fortieth).

| set | pastes | right | too general | a remedy that does not help | not known | said to be no log, or without an error, and was not |
| --- | --- | --- | --- | --- | --- | --- |
| first | 141 | 108 (77 %) | 6 | 9 | 5 | 13 |
| second | 44 | 33 (75 %) | 2 | 2 | 1 | 6 |
| third | 48 | 42 (88 %) | 1 | 5 | 0 | 0 |
| fourth | 46 | 37 (80 %) | 2 | 1 | 6 | 0 |
| fifth | 45 | 22 (49 %) | 1 | 10 | 1 | 11 |
| sixth | 42 | 22 (52 %) | 5 | 4 | 4 | 7 |
| seventh | 57 | 36 (63 %) | 5 | 3 | 5 | 8 |
| eighth | 50 | 28 (56 %) | 4 | 6 | 5 | 7 |
| ninth | 29 | 19 (66 %) | 2 | 2 | 3 | 3 |
| tenth | 58 | 48 (83 %) | 7 | 3 | 0 | 0 |
| eleventh | 42 | 32 (76 %) | 1 | 1 | 4 | 4 |
| twelfth | 40 | 29 (73 %) | 0 | 7 | 3 | 1 |
| thirteenth | 72 | 48 (67 %) | 2 | 5 | 11 | 6 |
| fourteenth, held back | 72 | 55 (76 %) | 4 | 6 | 5 | 2 |
| fifteenth | 37 | 24 (65 %) | 2 | 1 | 6 | 4 |
| sixteenth, held back | 36 | 29 (81 %) | 2 | 1 | 0 | 4 |
| seventeenth | 42 | 33 (79 %) | 4 | 1 | 2 | 2 |
| eighteenth, held back | 36 | 22 (61 %) | 6 | 1 | 3 | 4 |
| nineteenth, held back | 14 | 10 (71 %) | 2 | 1 | 0 | 1 |
| twentieth | 27 | 22 (81 %) | 1 | 0 | 1 | 3 |
| twenty-first, held back | 26 | 18 (69 %) | 0 | 1 | 2 | 5 |
| twenty-second, held back | 26 | 15 (58 %) | 0 | 7 | 1 | 3 |
| twenty-third | 59 | 33 (56 %) | 5 | 2 | 11 | 8 |
| twenty-fourth | 24 | 14 (58 %) | 0 | 2 | 5 | 3 |
| twenty-fifth | 15 | 10 (67 %) | 2 | 0 | 3 | 0 |
| twenty-sixth | 34 | 17 (50 %) | 5 | 3 | 7 | 2 |
| twenty-seventh | 10 | 2 (20 %) | 1 | 1 | 4 | 2 |
| twenty-eighth, independent | 134 | 100 (75 %) | 5 | 7 | 1 | 3 |
| twenty-ninth, independent | 90 | 65 (72 %) | 3 | 9 | 3 | 2 |
| thirtieth, independent | 160 | 129 (81 %) | 2 | 11 | 1 | 3 |
| thirty-first, independent | 100 | 80 (80 %) | 1 | 13 | 0 | 2 |
| thirty-second, independent | 80 | 49 (61 %) | 2 | 16 | 1 | 0 |
| old | 101 | 44 (44 %) | 25 | 11 | 19 | 2 |
| engines | 86 | 48 (56 %) | 6 | 6 | 11 | 7 |
| criu, of one area | 104 | 72 (69 %) | 5 | 4 | 8 | 1 |
| thirty-third, independent | 110 | 85 (77 %) | 2 | 9 | 3 | 2 |
| thirty-fourth, independent | 80 | 62 (78 %) | 3 | 6 | 0 | 2 |
| thirty-fifth, natural | 70 | 63 (90 %) | 0 | 3 | 0 | 0 |
| thirty-sixth, natural | 70 | 59 (84 %) | 0 | 3 | 0 | 0 |
| thirty-seventh, natural | 70 | 66 (94 %) | 0 | 3 | 1 | 0 |
| thirty-eighth, natural | 70 | 56 (80 %) | 2 | 3 | 0 | 1 |
| thirty-ninth, natural | 100 | 89 (89 %) | 4 | 4 | 1 | 0 |
| fortieth, natural | 90 | 72 (80 %) | 3 | 4 | 1 | 0 |`;

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
    PASTES,
    `All ${pasted.reduce((sum, one) => sum + one)} are a test since (\`test/explain/pastes/\`), beside \`pastes.tsv\`, whose messages were chosen by the author of the entries.`,
    "## Of what the programs around CRIU say",
    "Messages about checkpoints and restores in the sources of runtimes, engines, JVMs and tools (`scripts/others-messages.ts NAME=CHECKOUT …` lists them: all of a source whose path is about that, of others those that say so; of CRaC, whose JDK is too large to fetch here, read by hand). Each was fed by itself. Known is what an entry tells of, or LXC's own mark on its lines; many others only say that writing a file failed.",
    `| program | messages | known |\n| --- | --- | --- |\n${otherRows.join("\n")}`,
    `Of ${othersEarlier.length} messages that earlier releases had in other words (Podman 0.10 to 5.0, runc from 1.0.0-rc2, crun from 0.14, Docker from 1.13, containerd from 1.0, CRI-O from 1.24, LXC from 1.1, LXD from 2.0; test/explain/others-before.tsv) ${othersEarlier.filter(isToldOf).length} are known.`,
    "## Of what nothing is known",
    "Where no entry has the first error, or others' words, that is said, and then where to look, as that and not as a cause (`lead` under `--json`): what CRIU does in the source of that line, or what the words are about (`src/explain/subjects.txt`); what the kernel means by the errno, and what it was asked, as far as C, Go, Python, Rust or strace(1) say it; commands that show it; and the checks with which `recriu preflight` looks at it before a restore. The exit code stays 1.",
    "## Exit codes",
    "0: explained (also a line that only comes of something else, or behind which CRIU goes on, as that), or the log is of a success. 1: nothing is known of it, or no line of it says what failed. 2: no log of CRIU's, or it cannot be read.",
    "## By source",
    `| source | messages | known | said well by CRIU itself |\n| --- | --- | --- | --- |\n${rows.join("\n")}`,
  ].join("\n\n")}\n`;
}
