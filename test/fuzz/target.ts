import type { Dice } from "./mutate.ts";

/** What reads bytes of others. */
export interface Target {
  /** Bytes to try, and a name for them. */
  make(dice: Dice): { name: string; bytes: Uint8Array };
  /** Read them. Throws where something does not hold that must, whatever they are. `dice`: for what is asked beside. */
  read(name: string, bytes: Uint8Array, dice: Dice): void | Promise<void>;
  close?(): void;
}

/** No escape of others reaches a terminal. */
export function harmlessOnly(text: string): void {
  // oxlint-disable-next-line no-control-regex
  const found = /[^\P{C}\n]/u.exec(text);
  if (found !== null) {
    const around = text.slice(Math.max(0, found.index - 80), found.index + 80);
    throw new Error(`a control character is printed: ${JSON.stringify(around)}`);
  }
}
