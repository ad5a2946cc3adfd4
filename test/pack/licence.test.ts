import { expect, test } from "bun:test";
import { findPackage } from "../../src/host/packages.ts";
import { licenceOf } from "../../src/pack/licence.ts";

test("the package of a CRIU of Debian leads to its source; of another one the release is named", () => {
  const program = "/usr/bin/dpkg";
  const { name, version } = findPackage(program)!;
  const text = licenceOf({ path: program, version: "4.1.1" }, [program, "/nowhere/lib.so"]);
  expect(text).toContain("GPL-2.0-only");
  expect(text).toContain(`apt-get source ${name}=${version}`);
  expect(text).toContain(`${program}: ${name} ${version}\n`);
  expect(text).toContain("/nowhere/lib.so: of no package that is known here\n");
  const other = licenceOf({ path: "/nowhere/criu", version: "4.2" }, []);
  expect(other).toContain("https://github.com/checkpoint-restore/criu/releases/tag/v4.2");
  expect(licenceOf({ path: "/nowhere/criu", version: undefined }, [])).toContain(
    "of unknown version",
  );
});
