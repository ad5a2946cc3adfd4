/** --or-else COMMAND …: it ends recriu's words, as those behind it are another program's. */
export function orElse(words: readonly string[]): {
  words: string[];
  command: readonly string[] | undefined;
} {
  const end = words.indexOf("--");
  const at = words.indexOf("--or-else");
  return at < 0 || (end >= 0 && end < at)
    ? { words: [...words], command: undefined }
    : { words: words.slice(0, at), command: words.slice(at + 1) };
}
