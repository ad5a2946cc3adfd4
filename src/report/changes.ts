/** What `install` and `uninstall` do to files, and `undo` to what a killed recriu left. */
import type { Undone } from "../repair/changes.ts";
import { joined, type Line, said } from "./told.ts";

/** What is at a path: a file's text, a link, or nothing. */
export interface Shown {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: { readonly link: string } | { readonly text: string };
}

/** A change as lines that are taken out and put in. */
export function changeLines({ path, before, after }: Shown): Line[] {
  if ("link" in after) return [said`${path}`, said`  + -> ${after.link}`];
  const [was, is] = [before?.split("\n") ?? [], after.text.split("\n")];
  return [
    said`${path}`,
    ...was.filter((each) => !is.includes(each)).map((each) => said`  - ${each}`),
    ...is.filter((each) => each !== "" && !was.includes(each)).map((each) => said`  + ${each}`),
  ];
}

/** The restore of one journal, taken back as far as it could be. */
export function undoneLines({ journal, images, made, left, problem, aside }: Undone): Line[] {
  const lines: Line[] = [];
  const what = made.length === 0 ? said`` : said` (${made.join(", ")})`;
  if (images !== "") lines.push(joined(said`undone: the restore of ${images}`, what));
  lines.push(...left.map((each) => said`  left  ${each}`));
  if (problem !== null) {
    lines.push(said`recriu undo: ${journal}: ${problem}; what it says from there on is not undone`);
    if (aside !== null)
      lines.push(said`  kept as ${aside}: look at it, undo by hand what it names, remove it`);
  }
  return lines;
}
