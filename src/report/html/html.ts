/** Markup of a page in which every text is escaped: names come from images, and whoever made those may want a browser to do something. */
import { harmless } from "../terminal.ts";

class Markup {
  constructor(readonly text: string) {}
}

/** Only this file makes it, so that a string is never taken for it. */
export type Html = Markup;

/** Text, numbers, or markup made here; null is nothing. */
type Part = string | number | null | Html | readonly (Html | null)[];

/**
 * Markup: what stands in the template is the page's; each value is text, in an element or in an attribute that stands in double
 * quotes, and never the name of either, a style or an address but behind `#`. What cannot be seen, or turns the direction
 * of writing, is shown as a terminal would be given it.
 */
export const html = (texts: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Markup(texts.map((text, at) => (at === 0 ? "" : markupOf(parts[at - 1]!)) + text).join(""));

function markupOf(part: Part): string {
  if (part instanceof Markup) return part.text;
  if (part === null) return "";
  if (typeof part === "object") return part.map(markupOf).join("\n");
  return harmless(String(part)).replace(/[&<>"'`]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** recriu's own style sheet, as it is: a browser reads no entities there. */
export const styled = (css: string): Html => new Markup(`<style>${css}</style>`);
