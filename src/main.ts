/** The binary's entry: the first word names a command; each is loaded only when it is asked for. */
import { main } from "./cli/index.ts";

process.exit(await main(process.argv.slice(2)));
