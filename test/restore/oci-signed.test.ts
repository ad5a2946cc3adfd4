/** A signature that recriu.conf demands, under a runtime: what is not signed is refused with words where its user looks. */
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answers, checkpoint, end, enterMounts, makeContainer, restoreWords } from "./oci.ts";
import { keyPair } from "./signing.ts";
import { openStage, recriu, run, running } from "./stage.ts";

test("runc: refused where a signature is demanded and none is there; signed, the container is back", async () => {
  await using stage = openStage();
  const container = makeContainer(stage, "runc");
  const { secret, file } = await keyPair(stage, "ours");
  await checkpoint(container);
  const etc = join(stage.dir, "etc");
  expect((await run(stage, ["cp", "-a", "/etc", etc])).exit).toBe(0);
  mkdirSync(join(etc, "recriu"), { recursive: true });
  await enterMounts(container, `mount --bind ${etc} /etc`);
  const stderr = () => readFileSync(join(stage.dir, "stderr"), "utf8");
  const restored = async (way: "guarded" | "withCriu", name: string) => {
    const id = `${container.name}-${name}`;
    const { exit } = await container[way](...restoreWords(container, id));
    return { id, exit };
  };
  for (const [demand, line] of [
    ["signature", "require-signature\n"],
    ["key", `verify-key ${file}\n`],
  ] as const) {
    writeFileSync(join(etc, "recriu/recriu.conf"), line);
    const guarded = await restored("guarded", `guarded-${demand}`);
    expect([guarded.exit, stderr()]).toEqual([1, expect.stringContaining("[seal-unsigned]")]);
    expect(readFileSync(join(stage.dir, "runtime.log"), "utf8")).toContain("[seal-unsigned]");
    const asCriu = await restored("withCriu", `criu-${demand}`);
    // What runc shows of CRIU's answer, and the log that it names.
    expect([asCriu.exit, stderr()]).toEqual([1, expect.stringContaining("criu failed")]);
    expect(readFileSync(container.log, "utf8")).toMatch(
      /Error \(recriu\): the restore is blocked: .*\n(?:.*\n)*blocker\[seal-unsigned\]/,
    );
    expect(running(stage, "x11-server")).toEqual([]);
    for (const { id } of [guarded, asCriu]) await end(container, id);
  }
  expect((await recriu(stage, ["seal", container.images, "--sign", secret])).exit).toBe(0);
  for (const way of ["guarded", "withCriu"] as const) {
    const { id, exit } = await restored(way, way);
    expect([exit, stderr()]).toEqual([0, ""]);
    expect(await answers(container, "still there")).toBe("still there");
    await end(container, id);
  }
});
