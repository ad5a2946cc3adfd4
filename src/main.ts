/** The binary's entry: its own name says which personality is asked for; each is loaded only then. */
import { CRIU, WATCHER } from "./dropin/names.ts";
import { returnToWorkingDirectory } from "./sys/working-directory.ts";

returnToWorkingDirectory();

const words = process.argv.slice(2);
const name = process.argv0.slice(process.argv0.lastIndexOf("/") + 1);
const runtime = /^recriu-(runc|crun)$/.exec(name)?.[1];

// What fails in a callback that is not waited for.
process.on("uncaughtException", fail);

try {
  if (name === CRIU) process.exit(await (await import("./dropin/index.ts")).dropin(words));
  if (runtime !== undefined)
    process.exit(await (await import("./runtime/wrap.ts")).wrap(runtime, words));
  if (words[0] === WATCHER) await (await import("./dropin/watch.ts")).watch();
  else process.exit(await (await import("./cli/index.ts")).main(words));
} catch (error) {
  await fail(error);
}

/** The runtime would print its own code, on one long line. */
async function fail(error: unknown): Promise<never> {
  const { tell } = await import("./report/told.ts");
  const { unable } = await import("./report/unable.ts");
  process.exit(tell(unable(name, error, false)));
}
