/** The restore of a container by its runtime: alone, with recriu as the criu that it finds, with recriu in its place. */
import {
  type Container,
  answers,
  checkpoint,
  end,
  makeContainer,
  restoreWords,
} from "../../test/restore/oci.ts";
import { openStage } from "../../test/restore/stage.ts";
import { type Spread, spread } from "./measure.ts";

export interface RuntimeRow {
  name: string;
  alone: Spread;
  withCriu: Spread;
  guarded: Spread;
}

export async function measureRuntime(name: "runc" | "crun", runs: number): Promise<RuntimeRow> {
  await using stage = openStage({ ownState: true });
  const container: Container = makeContainer(stage, name);
  await checkpoint(container);
  const ways = ["alone", "withCriu", "guarded"] as const;
  const took: Record<(typeof ways)[number], number[]> = { alone: [], withCriu: [], guarded: [] };
  for (let i = -1; i < runs; i++)
    for (let n = 0; n < ways.length; n++) {
      const way = ways[(i + 1 + n) % ways.length]!;
      const id = `${container.name}-${way}-${i + 1}`;
      const begun = performance.now();
      const { exit } = await container[way](...restoreWords(container, id));
      const ms = performance.now() - begun;
      if (exit !== 0 || (await answers(container, "x")) !== "x")
        throw new Error(`${name} ${way}: exit ${exit}`);
      await end(container, id);
      if (i >= 0) took[way].push(ms);
    }
  return {
    name,
    alone: spread(took.alone),
    withCriu: spread(took.withCriu),
    guarded: spread(took.guarded),
  };
}
