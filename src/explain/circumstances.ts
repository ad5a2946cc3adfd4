/**
 * What a paste shows of how CRIU was started: at an ordinary user's prompt, by unshare without a new /proc. It decides what an
 * error means that by itself has several reasons, and is told as what was seen.
 */
import type { Explanation } from "./index.ts";

interface Circumstance {
  /** A line that shows it. */
  readonly seen: RegExp;
  /** One that shows the contrary. */
  readonly not?: RegExp;
  /** Errors that it accounts for. */
  readonly of: (explanation: Explanation) => boolean;
  /** What helps then. */
  readonly does: string;
  readonly why: string;
}

const LETTERS = 1024;

const denied = (text: string): boolean => /Operation not permitted|Permission denied/.test(text);

const circumstances: readonly Circumstance[] = [
  {
    // `$` is the prompt of those who are not root.
    seen: /^(?:\S{1,80}[ \]:~]?\S{0,80})?\$ (?:\S{1,80}\/)?criu (?:dump|pre-dump|restore|check|service|swrk)\b/,
    not: /^(?:uid=0\b|root@|\[root@)|\bsu(?:do)?\b/,
    of: ({ line, check, by }) =>
      by === "criu" && denied(line) && (check === "privilege" || check === ""),
    does: "sudo criu …",
    why: "it was typed at a $ prompt, which is an ordinary user's",
  },
  {
    seen: /\bunshare (?=[^\n]{0,200}(?:-\w{0,8}p|--pid))(?![^\n]{0,200}--mount-proc)/,
    of: ({ line }) => /\/proc|procfs|\bpme\b|\bpid\b|ns_last_pid/i.test(line),
    does: "unshare -p -m --fork --mount-proc criu …, or criu-ns",
    why: "the unshare that is shown makes a pid namespace and leaves /proc as it was, so that numbers in /proc are of the other one",
  },
];

export function circumstancesSeen(): {
  note(text: string): void;
  /** The explanation with what was seen before its own remedy. */
  weigh<T extends Explanation | undefined>(explanation: T): T;
} {
  const seen = new Set<Circumstance>();
  const denies = new Set<Circumstance>();
  return {
    note(text) {
      const looked = text.slice(0, LETTERS);
      for (const one of circumstances) {
        if (one.seen.test(looked)) seen.add(one);
        if (one.not?.test(looked) === true) denies.add(one);
      }
    },
    weigh(explanation) {
      if (explanation === undefined) return explanation;
      const told = [...seen].filter((one) => !denies.has(one) && one.of(explanation));
      if (told.length === 0) return explanation;
      const first = told.map(({ does, why }) => `${does}: ${why}`);
      const rest = explanation.remedy
        .split("; ")
        .filter((part) => !told.some(({ does }) => does === part));
      const others = rest.length === 0 ? [] : [`else ${rest.join("; ")}`];
      return { ...explanation, remedy: [...first, ...others].join("; ") };
    },
  };
}
