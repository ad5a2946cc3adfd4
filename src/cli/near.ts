/** What was meant by a name that does not exist. */

/** The known names that are nearest to a word, none that is far from it; behind it in brackets, each with `before`. */
export function near(word: string, words: readonly string[], before = ""): string {
  const most = Math.max(2, Math.floor(word.length / 3));
  const ranked = words
    .map((name) => ({ name, away: beginsWith(name, word) ? 1 : distance(word, name) }))
    .filter(({ away }) => away <= most)
    .sort((a, b) => a.away - b.away)
    .slice(0, 3);
  return ranked.length === 0
    ? ""
    : ` (did you mean ${ranked.map(({ name }) => before + name).join(" or ")}?)`;
}

const beginsWith = (name: string, word: string) => word.length > 2 && name.startsWith(word);

/** How many letters are to be put in, left out or exchanged to make one word of the other (Levenshtein). */
function distance(one: string, other: string): number {
  let row = [...other, ""].map((_, at) => at);
  // No name of ours is longer; what is typed may be.
  for (const [at, letter] of Array.from(one.slice(0, 80)).entries()) {
    const above = row;
    row = [at + 1];
    for (const [index, wanted] of [...other].entries())
      row.push(
        Math.min(above[index + 1]! + 1, row[index]! + 1, above[index]! + Number(letter !== wanted)),
      );
  }
  return row.at(-1)!;
}
