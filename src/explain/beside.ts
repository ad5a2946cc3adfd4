/** What stands around a message and says which of several entries it is: an address that is tentative, a library's version. */
import { entries } from "./entries/index.ts";
import type { Entry } from "./entry.ts";

/** Letters of a line in which it is looked for. */
const LETTERS = 2048;

interface Around {
  note(text: string): void;
  /** Entries of which it was seen. */
  readonly seen: ReadonlySet<Entry>;
}

export function around(): Around {
  const seen = new Set<Entry>();
  let open: Entry[] | undefined;
  return {
    seen,
    note(text) {
      open ??= entries().filter(({ beside }) => beside !== undefined);
      const looked = text.slice(0, LETTERS);
      for (const entry of open) if (entry.beside!.test(looked)) seen.add(entry);
    },
  };
}
