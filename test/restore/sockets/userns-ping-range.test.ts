import { dumpInUser } from "../namespaces.ts";
import { explained, finding, report } from "../report.ts";
import { openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";

test("userns-ping-range: one group is not enough for what CRIU 4.1 has saved", async () => {
  await using stage = openStage();
  const { images, options } = await dumpInUser(stage, () => [], { ids: 1 });
  const preflight = await report(stage, "preflight", images, options);
  if (preflight.criu.version!.startsWith("4.1")) {
    expect(preflight.exit).toBe(0);
    const named = finding(preflight, "userns-ping-range");
    expect(named).toMatchObject({ subject: "group 1", remedy: { kind: "edit" } });
    const bare = await restoreBare(stage, images, options);
    expect(bare.exit).toBe(1);
    expect(bare.log).toContain(named.criu_message!);
    explained(named);
    expect((await report(stage, "preflight", images, [...options, "--fix=none"])).exit).toBe(3);
  } else expect(preflight.findings).toEqual([]);
  const done = await report(stage, "restore", images, options);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
});
