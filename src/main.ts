/**
 * The binary's entry: the name it is called by decides who it is; as recriu, the first word names a command. Each is
 * loaded only when it is asked for.
 */
import { main } from "./cli/index.ts";

const words = process.argv.slice(2);
const runtime = /(?:^|\/)recriu-(runc|crun)$/.exec(process.argv0)?.[1];
process.exit(
  runtime === undefined
    ? await main(words)
    : await (await import("./runtime/wrap.ts")).wrap(runtime, words),
);
