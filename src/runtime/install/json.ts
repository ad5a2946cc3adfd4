/** Add members to a JSON object as text: every other byte stays what and where it is. */

/** Where the values of an object's members are, by name. `at` is the object's opening brace. The text is valid JSON. */
function members(text: string, at: number): Map<string, number> {
  const found = new Map<string, number>();
  let i = skipBlank(text, at + 1);
  while (text[i] === '"') {
    const end = endOfString(text, i);
    const name = JSON.parse(text.slice(i, end)) as string;
    const value = skipBlank(text, skipBlank(text, end) + 1);
    found.set(name, value);
    i = skipBlank(text, endOfValue(text, value));
    if (text[i] === ",") i = skipBlank(text, i + 1);
  }
  return found;
}

const skipBlank = (text: string, at: number): number => {
  let i = at;
  while (/\s/.test(text[i] ?? "")) i += 1;
  return i;
};

function endOfString(text: string, at: number): number {
  let i = at + 1;
  while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i + 1;
}

function endOfValue(text: string, at: number): number {
  if (text[at] === '"') return endOfString(text, at);
  let depth = 0;
  let i = at;
  do {
    const char = text[i];
    if (char === '"') i = endOfString(text, i);
    else {
      if (char === "{" || char === "[") depth += 1;
      else if (char === "}" || char === "]") depth -= 1;
      i += 1;
    }
  } while (depth > 0 || (!/[,}\]\s]/.test(text[i] ?? ",") && !/[}\]]/.test(text[i - 1]!)));
  return i;
}

/** Add `name` with `value` to the object at `path` unless it has it; objects on the way are made. */
export function addMember(
  text: string,
  path: readonly string[],
  name: string,
  value: unknown,
): string {
  const indent = /\n([ \t]+)"/.exec(text)?.[1] ?? "  ";
  let at = text.indexOf("{");
  for (const [depth, step] of path.entries()) {
    const next = members(text, at).get(step);
    if (next === undefined) {
      const made = path.slice(depth + 1).reduceRight<unknown>((sum, key) => ({ [key]: sum }), {
        [name]: value,
      });
      return insert(text, at, step, made, indent.repeat(depth + 1), indent);
    }
    at = next;
  }
  if (members(text, at).has(name)) return text;
  return insert(text, at, name, value, indent.repeat(path.length + 1), indent);
}

function insert(
  text: string,
  brace: number,
  name: string,
  value: unknown,
  margin: string,
  indent: string,
): string {
  const shown = JSON.stringify(value, null, indent).replaceAll("\n", `\n${margin}`);
  const empty = text[skipBlank(text, brace + 1)] === "}";
  const member = `\n${margin}${JSON.stringify(name)}: ${shown}${empty ? "\n" : ","}`;
  const rest = text.slice(brace + 1);
  // What stood on the brace's own line goes below what is added.
  const below = empty || /^[ \t]*\n/.test(rest) ? rest : `\n${margin}${rest.trimStart()}`;
  return text.slice(0, brace + 1) + member + below;
}
