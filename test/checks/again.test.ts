/** The words by which the same restore is called again. */
import { expect, test } from "bun:test";
import { again, againStaying } from "../../src/checks/again.ts";
import { requestFrom } from "../../src/criu/index.ts";

function words(...asked: string[]) {
  const understood = requestFrom(["-D", "/i", ...asked], {}, []);
  if (!understood.ok) throw new Error(understood.problem);
  const { request } = understood;
  const of = { request, settings: { words: ["--verify=report"] } } as never;
  return { again: again(of), staying: againStaying(of) };
}

test("all that was said, to recriu and to CRIU", () => {
  expect(words("-v4", "-d").again).toEqual(["--verify=report", "-D", "/i", "-v4", "-d"]);
  expect(words("-v4").staying).toEqual(words("-v4").again);
});

test("who is to stay does not detach; where the switch is among others its opposite comes last", () => {
  const stays = ["--verify=report", "-D", "/i", "-v4"];
  expect(words("-v4", "-d").staying).toEqual(stays);
  expect(words("-v4", "--restore-detached", "--restore-sibling").staying).toEqual(stays);
  const opposite = ["--no-restore-detached", "--no-restore-sibling"];
  expect(words("-dS").staying).toEqual(["--verify=report", "-D", "/i"]);
  expect(words("-dv4").staying).toEqual(["--verify=report", "-D", "/i", "-dv4", ...opposite]);
});
