import { routeLinkdown } from "../../../src/checks/sockets/route-linkdown.ts";
import { image } from "../../image/fixture.ts";
import { attribute, route, routes } from "../../image/made-routes.ts";
import { withContext } from "../context.ts";
import { inNamespaces } from "../kernel.ts";
import { expect, test } from "bun:test";

const LINKDOWN = 16;

const run = (count: number, options: string[] = []) =>
  withContext(
    {
      ...inNamespaces({ net_ns_id: 12 }),
      "netns-12.img": image("netns-12.img", [{}]),
      "route-12.img": routes(
        ...Array.from({ length: count }, () =>
          route({ flags: LINKDOWN, attributes: [attribute(4, [2, 0, 0, 0])] }),
        ),
      ),
    },
    { options },
    (context) => [...routeLinkdown.run(context)],
  );

test("route-linkdown: more routes than are edited are a person's", () => {
  const [few] = run(2);
  expect(few).toMatchObject({ subject: "default", remedy: { kind: "edit" } });
  expect(few!.message).toStartWith("the route default (and 1 more) was saved");
  expect(run(10_000)).toMatchObject([
    { remedy: { kind: "human", text: "dump again with the links up, or without those routes" } },
  ]);
  expect(run(0)).toEqual([]);
  // CRIU gives a network that stays empty no routes.
  expect(run(2, ["--empty-ns", "net"])).toEqual([]);
});
