/** The binary's entry: its own name says which personality is asked for; each is loaded only then. */
import { front } from "./sys/front.ts";
import { returnToWorkingDirectory } from "./sys/working-directory.ts";

returnToWorkingDirectory();

const words = process.argv.slice(2);
const name = process.argv0.slice(process.argv0.lastIndexOf("/") + 1);
const runtime = /^recriu-(runc|crun)$/.exec(name)?.[1];

// What fails in a callback that is not waited for.
process.on("uncaughtException", fail);

try {
  if (name === "criu") end(await (await import("./dropin/index.ts")).dropin(words));
  else if (runtime !== undefined)
    end(await (await import("./runtime/wrap.ts")).wrap(runtime, words));
  else end(await (await import("./cli/index.ts")).main(words));
} catch (error) {
  await fail(error);
}

/** The runtime would print its own code, on one long line. */
async function fail(error: unknown): Promise<never> {
  const { tell } = await import("./report/told.ts");
  const { unable } = await import("./report/unable.ts");
  return end(tell(unable(name, error, false)));
}

/** With the front, if it waits still. */
function end(code: number): never {
  front?.end(code);
  process.exit(code);
}
