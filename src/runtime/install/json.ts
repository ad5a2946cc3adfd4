/** Add members to a JSON object as text, by jsonc-parser: values, comments and order stay; what is added is indented as the rest. */
// The package's other form, which is found by its name, cannot be bundled.
import { applyEdits, findNodeAtLocation, modify, parseTree } from "jsonc-parser/lib/esm/main.js";

/** Add `name` with `value` to the object at `path`, at its beginning, unless it has it; objects on the way are made. */
export function addMember(
  text: string,
  path: readonly string[],
  name: string,
  value: unknown,
): string {
  const place = [...path, name];
  const tree = parseTree(text);
  if (tree !== undefined && findNodeAtLocation(tree, place) !== undefined) return text;
  const indent = /\n([ \t]+)"/.exec(text)?.[1] ?? "  ";
  const formattingOptions = {
    insertSpaces: !indent.startsWith("\t"),
    tabSize: indent.length,
    eol: "\n",
  };
  return applyEdits(
    text,
    modify(text, place, value, { formattingOptions, getInsertionIndex: () => 0 }),
  );
}
