import { usernsMap } from "../../../src/checks/tree/userns-map.ts";
import { image } from "../../image/fixture.ts";
import { withContext } from "../context.ts";
import { host, inNamespaces } from "../kernel.ts";
import { expect, test } from "bun:test";

test("userns-map: ids that the namespace around does not have", () => {
  const extent = { first: 0, lower_first: 100_000, count: 65_536 };
  const images = {
    ...inNamespaces({ user_ns_id: 17 }),
    "userns-17.img": image("userns-17.img", [{ uid_map: [extent], gid_map: [extent] }]),
  };
  const run = (uid: string, gid: string) =>
    withContext(
      images,
      { host: host({ "/proc/self/uid_map": uid, "/proc/self/gid_map": gid }) },
      (context) => [...usernsMap.run(context)],
    );
  const all = "         0          0 4294967295\n";
  expect(run(all, all)).toEqual([]);
  expect(run(all, "0 1000 65536\n")).toMatchObject([
    {
      subject: "gid_map 100000-165535",
      criu_message: "Unable to write into gid_map",
    },
  ]);
});
