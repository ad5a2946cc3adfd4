/** The program that CRIU starts as its action script, asked of each machine: what it says, what it takes for an answer, and
 * that it is what its listing says. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { descriptorsOf } from "../../src/host/processes.ts";
import { askingProgram } from "../../src/sys/asking-program.ts";
import { repository } from "../built.ts";

let dir: string;
beforeAll(() => {
  // Short: a path has 32 bytes.
  dir = realpathSync(mkdtempSync(join(tmpdir(), "ask")));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** `run` are the words before a program of that machine, `assemble` those of an assembler for it. */
export function askingProgramTests(
  name: "x64" | "arm64",
  run: readonly string[],
  assemble: readonly string[],
): void {
  describe(name, () => {
    const asks = (answer: string, env: Record<string, string>) => {
      const [program, questions, answers] = ["p", "q", "a"].map((file) => join(dir, file));
      writeFileSync(program!, askingProgram(questions!, answers!, name)!);
      chmodSync(program!, 0o755);
      writeFileSync(answers!, answer);
      writeFileSync(questions!, "");
      const { exitCode } = Bun.spawnSync([...run, program!, "word"], { env });
      // An emulator may hand the environment on in another order.
      return { exitCode, said: readFileSync(questions!, "latin1").split("\0").toSorted() };
    };

    test("says what CRIU tells it and nothing else, and passes the answer on", () => {
      const env = {
        A: "1",
        CRTOOLS_X: "post-restore",
        CRTOOL: "no",
        CRTOOLS_Y: "",
        B: "CRTOOLS_Z",
      };
      expect(asks("g", env)).toEqual({
        exitCode: 0,
        said: ["\n", "CRTOOLS_X=post-restore", "CRTOOLS_Y="],
      });
      expect(asks("go on", {})).toEqual({ exitCode: 0, said: ["\n"] });
    });

    test("refuses where it is not told to go on", () => {
      for (const answer of ["n", "", "\0g"]) expect(asks(answer, {}).exitCode).toBe(1);
      for (const gone of ["nowhere/q", "nowhere/a"]) {
        const paths = ["q", "a"].map((file) => join(dir, gone.endsWith(file) ? gone : file));
        const program = join(dir, "gone");
        writeFileSync(program, askingProgram(paths[0]!, paths[1]!, name)!);
        chmodSync(program, 0o755);
        expect(Bun.spawnSync([...run, program]).exitCode).toBe(1);
      }
    });

    test("what is answered counts, whoever answers being gone by then", async () => {
      const [program, questions, answers] = ["late", "full", "b"].map((file) => join(dir, file));
      writeFileSync(program!, askingProgram(questions!, answers!, name)!);
      chmodSync(program!, 0o755);
      writeFileSync(answers!, "g");
      Bun.spawnSync(["mkfifo", questions!]);
      // It waits to ask: nothing more fits into the pipe.
      const pipe = openSync(questions!, constants.O_RDWR | constants.O_NONBLOCK);
      const full = Buffer.alloc(1 << 16);
      expect(writeSync(pipe, full)).toBe(full.length);
      const asking = Bun.spawn([...run, program!]);
      const isOpen = (path: string) => [...descriptorsOf(asking.pid).values()].includes(path);
      while (!isOpen(questions!) || !isOpen(answers!)) await Bun.sleep(1);
      rmSync(answers!);
      expect(readSync(pipe, full)).toBe(full.length);
      expect(await asking.exited).toBe(0);
      closeSync(pipe);
      rmSync(questions!);
    });

    test("is what an assembler makes of its listing", () => {
      const source = readFileSync(join(repository, "src/sys/asking-listing.ts"), "utf8");
      const listing = new RegExp(`^const ${name} = \`\n(.*?)^\`;`, "ms").exec(source)![1]!;
      const words = listing.replace(/^ {2}(?:[0-9a-f]{2} )+/gm, "").trimEnd();
      const places = "questions: .zero 32\nanswers: .zero 32\n";
      const syntax = name === "x64" ? ".intel_syntax noprefix\n" : "";
      const object = join(dir, "object");
      const made = Bun.spawnSync([...assemble, "-o", object, "-"], {
        stdin: Buffer.from(`${syntax}${words}\n${places}`),
      });
      expect(made.stderr.toString()).toBe("");
      const program = Buffer.from(askingProgram("", "", name)!);
      expect(readFileSync(object).includes(program.subarray(120))).toBe(true);
    });
  });
}
