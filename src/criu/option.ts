/** What an option of CRIU is, and the ways to define one (src/criu/options.ts). */
import type { ParsedOption } from "./getopt.ts";
import type { Parts } from "./request.ts";
import type { RpcOptions } from "./rpc-messages.ts";

/** none: a flag. required: `--name VALUE` or `--name=VALUE`. optional: only `--name=VALUE` or `-nVALUE`. */
type Argument = "none" | "required" | "optional";

/** Changes the request that is being read, or says why CRIU refuses the value ("" when none was given). */
export type Effect = (parts: Parts, value: string, option: ParsedOption) => string | undefined;

/** What each option may have. */
interface Traits {
  readonly short?: string;
  /** Every use counts; of other options the last one does. */
  readonly list?: true;
  /** The first CRIU that knows it, where 3.17 did not. */
  readonly since?: string;
  /** It means something to `criu restore`; others are accepted there and change nothing. */
  readonly restore?: true;
  /** A field of the request: the switch that it turns on, and `--no-NAME` off. */
  readonly turns?: string;
  /** A field of the request: the text that its value is. */
  readonly sets?: string;
  /** That text is a path, which CRIU opens in its work directory. */
  readonly path?: true;
  /** What else it does. */
  readonly apply?: Effect;
  /** The field of CRIU's RPC that asks the same. */
  readonly rpc?: keyof RpcOptions | Rpc;
  /** Only RPC can ask for it: CRIU knows no such word. */
  readonly rpcOnly?: true;
  /** What runc and crun have for it: a flag of the same name, or the name of one that takes its value. */
  readonly runtime?: "flag" | { readonly valued: string };
}

/** An option of which the request says more, or otherwise, than one field that is its value. */
export interface Rpc {
  readonly fields: readonly (keyof RpcOptions)[];
  /** The values it asks for, each a use of the option; true and false are a flag and its `--no-` twin. */
  values(opts: RpcOptions, directory: (fd: number) => string): readonly (string | boolean)[];
  /** The value that CRIU takes anyway; runtimes ask for it whether or not somebody wants it. */
  readonly standard?: string;
}

export interface CriuOption extends Traits {
  readonly name: string;
  readonly arg: Argument;
  /** What the argument is, for help texts: `DIR`. */
  readonly value?: string;
  /** `--no-NAME` exists too. */
  readonly negatable: boolean;
  readonly help: string;
}

/** An option of recriu, none of which `criu restore` has. */
export interface RecriuOption {
  readonly name: string;
  /** Of a command that calls no CRIU: there it means this, whatever it means to CRIU. */
  readonly short?: string;
  readonly arg: Argument;
  /** What the argument is, for help texts. */
  readonly value?: string;
  readonly help: string;
}

type Defined<T> = Omit<CriuOption, keyof Traits> & T;

/** A switch. */
export const flag = <const T extends Traits>(
  name: string,
  traits: T,
  help: string,
): Defined<T> => ({ name, arg: "none", negatable: false, help, ...traits });

/** A switch with its `--no-` twin. */
export const bool = <const T extends Traits>(
  name: string,
  traits: T,
  help: string,
): Defined<T> => ({ name, arg: "none", negatable: true, help, ...traits });

export const valued = <const T extends Traits>(
  name: string,
  value: string,
  traits: T,
  help: string,
): Defined<T> => ({ name, arg: "required", value, negatable: false, help, ...traits });

export const optional = <const T extends Traits>(
  name: string,
  value: string,
  traits: T,
  help: string,
): Defined<T> => ({ name, arg: "optional", value, negatable: false, help, ...traits });
