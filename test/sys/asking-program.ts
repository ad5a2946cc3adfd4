/** The program that CRIU starts as its action script, asked of each machine: what it says, and what it takes for an answer. */
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

/** What the assembler makes of its source, base64. */
export const codeOf = (name: string): string => {
  const source = join(repository, "src/sys/asking-program", `${name}.S`);
  const made = Bun.spawnSync([join(repository, "scripts/assemble"), source]);
  expect(made.stderr.toString()).toBe("");
  return made.stdout.toString("base64");
};

/** `run` are the words before a program of that machine. */
export function askingProgramTests(name: string, run: readonly string[]): void {
  describe(name, () => {
    const code = codeOf(name);
    let dir: string;
    beforeAll(() => {
      // Short: a path has 32 bytes.
      dir = realpathSync(mkdtempSync(join(tmpdir(), "ask")));
    });
    afterAll(() => rmSync(dir, { recursive: true }));
    const asks = (answer: string, env: Record<string, string>) => {
      const [program, questions, answers] = ["p", "q", "a"].map((file) => join(dir, file));
      writeFileSync(program!, askingProgram(questions!, answers!, code));
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
        writeFileSync(program, askingProgram(paths[0]!, paths[1]!, code));
        chmodSync(program, 0o755);
        expect(Bun.spawnSync([...run, program]).exitCode).toBe(1);
      }
    });

    test("asks at the points where something is decided, and goes on at others while there is somebody to ask", () => {
      const at = (answer: string, point: string) =>
        asks(answer, { CRTOOLS_SCRIPT_A: "setup-namespaces", CRTOOLS_SCRIPT_ACTION: point });
      for (const point of ["pre-restore", "post-restore", "pre-resume", "post-resume"]) {
        expect(at("n", point).exitCode).toBe(1);
        expect(at("g", point)).toEqual({
          exitCode: 0,
          said: [
            "\n",
            "CRTOOLS_SCRIPT_A=setup-namespaces",
            `CRTOOLS_SCRIPT_ACTION=${point}`,
          ].sort(),
        });
      }
      for (const point of [
        "setup-namespaces",
        "post-setup-namespaces",
        "network-unlock",
        "p",
        "",
      ]) {
        expect(at("n", point)).toEqual({ exitCode: 0, said: [""] });
        writeFileSync(join(dir, "p"), askingProgram(join(dir, "q"), join(dir, "none"), code));
        const env = { CRTOOLS_SCRIPT_ACTION: point };
        expect(Bun.spawnSync([...run, join(dir, "p")], { env }).exitCode).toBe(1);
      }
    });

    test("asks in one write, and refuses where that cannot hold all", () => {
      const many = (count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, n) => [`CRTOOLS_${n}`, "x"]));
      expect(asks("g", many(1023)).said).toHaveLength(1024);
      expect(asks("g", many(1024))).toEqual({ exitCode: 1, said: [""] });
    });

    test("what is answered counts, whoever answers being gone by then", async () => {
      const [program, questions, answers] = ["late", "full", "b"].map((file) => join(dir, file));
      writeFileSync(program!, askingProgram(questions!, answers!, code));
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
  });
}
