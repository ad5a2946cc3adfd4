/** CRIU's options by their names, and the words by which a request of RPC stands on a command line. */
import type { ParsedOption } from "./getopt.ts";
import type { CriuOption, RecriuOption } from "./option.ts";
import { criuOptions } from "./options.ts";

/** A long name that getopt knows: an option's own, or its `no-` twin. */
export interface LongName {
  readonly long: string;
  readonly option: CriuOption;
  readonly negated: boolean;
}

let cachedLongNames: readonly LongName[] | undefined;

/** All long names in the order of CRIU's table, which is the order of getopt's messages. */
export function longNames(): readonly LongName[] {
  return (cachedLongNames ??= criuOptions.flatMap((entry) => {
    if (entry.rpcOnly) return [];
    const positive = { long: entry.name, option: entry, negated: false };
    return entry.negatable
      ? [positive, { long: `no-${entry.name}`, option: entry, negated: true }]
      : [positive];
  }));
}

/** The option of that name. */
export function byName(name: string): CriuOption | undefined {
  return criuOptions.find((entry) => entry.name === name);
}

/** The option with a short name. */
export function byShort(short: string): CriuOption | undefined {
  return criuOptions.find((entry) => entry.short === short);
}

/**
 * Words that only a request of RPC stands for: options that CRIU's command line lacks, and switches that can be turned
 * off by RPC alone. They count by their whole names only, as recriu's own options do.
 */
export const requestOptions: readonly RecriuOption[] = criuOptions.flatMap((entry) => {
  const { name, rpc, rpcOnly, negatable, turns, apply, help } = entry;
  if (rpcOnly) return [{ name, arg: "none" as const, help }];
  const off = rpc !== undefined && !negatable && (turns !== undefined || apply !== undefined);
  return off ? [{ name: `no-${name}`, arg: "none" as const, help }] : [];
});

/** Such a word as the option that it stands for. */
export function asRequested(option: ParsedOption): ParsedOption | undefined {
  if (!requestOptions.some(({ name }) => name === option.name)) return undefined;
  return option.name.startsWith("no-")
    ? { ...option, name: option.name.slice("no-".length), negated: true }
    : option;
}
