/** Files that were left to others at the dump: images that no staged dump here has. */
import { expect, test } from "bun:test";
import { externalFile } from "../../src/checks/files/external-file.ts";
import { fixture, image } from "../image/fixture.ts";
import { withContext } from "./context.ts";

const noOne = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
const reg = { id: 2, flags: 0, pos: 0n, fown: noOne, name: "file[1:2]", ext: true };
const files = (entry: object) => ({ ...fixture(), "files.img": image("files.img", [entry]) });
const findings = (entry: object, options: string[] = []) =>
  withContext(files(entry), { host: { exists: () => false }, options }, (context) => [
    ...externalFile.run(context),
  ]);

test("an external file that nobody hands over", () => {
  expect(findings({ type: 1, id: 2, reg })).toMatchObject([
    { severity: "blocker", subject: "file[1:2]", image: "files.img id 0x2" },
  ]);
});

test("handed over by --inherit-fd it is none, nor is an ordinary file", () => {
  expect(findings({ type: 1, id: 2, reg }, ["--inherit-fd", "fd[9]:file[1:2]"])).toEqual([]);
  expect(findings({ type: 1, id: 2, reg: { ...reg, ext: false } })).toEqual([]);
});

test("a file of a plugin is a warning: the plugin may be there", () => {
  const ext = { id: 2, fown: noOne };
  expect(findings({ type: 16, id: 2, ext })).toMatchObject([{ severity: "warning" }]);
});
