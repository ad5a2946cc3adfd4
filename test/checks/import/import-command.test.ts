/** For which engine the findings of an archive speak, and what that is told by. */
import { expect, test } from "bun:test";
import { importCommand } from "../../../src/checks/import/import-command.ts";
import { importConflict } from "../../../src/checks/import/import-conflict.ts";
import { importRefused } from "../../../src/checks/import/import-refused.ts";
import { exportedFrom } from "../../../src/runtime/exported.ts";
import { withContext } from "../context.ts";

const texts = (config: object, spec: object = {}) =>
  new Map([
    ["config.dump", JSON.stringify(config)],
    ["spec.dump", JSON.stringify(spec)],
  ]);
const nowhere = { PATH: "/nowhere" };

test("an archive of the kubelet's API is no matter of Podman's; where there is no Podman its store is not spoken of", async () => {
  const spec = { annotations: { "io.kubernetes.cri.container-type": "container" } };
  const cri = await exportedFrom("/a.tar", texts({ id: "a", name: "c" }, spec), nowhere);
  const podman = await exportedFrom("/a.tar", texts({ staticDir: "/s", name: "c" }, spec), nowhere);
  expect([cri.engine, podman.engine]).toEqual(["cri", "podman"]);
  for (const exported of [cri, podman])
    withContext({}, { exported: { ...exported, store: "there is no podman here" } }, (context) => {
      expect([...importRefused.run(context), ...importConflict.run(context)]).toEqual([]);
      const [{ message, severity } = { message: "", severity: "" }] = [
        ...importCommand.run(context),
      ];
      expect([severity, message]).toEqual([
        "info",
        expect.stringContaining(
          exported === cri ? "kubelet" : "was not looked at: there is no podman",
        ),
      ]);
    });
});

test("texts that are none are an archive of nothing", async () => {
  for (const text of ["", "null", "[]", "{", '{"namedVolumes":{"a":1},"newPortMappings":[3]}'])
    expect(await exportedFrom("/a.tar", new Map([["config.dump", text]]), nowhere)).toMatchObject({
      volumes: [],
      ports: [],
      name: undefined,
    });
});
