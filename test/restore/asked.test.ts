/** The gate itself: its program asks, as CRIU would start it, and is answered. */
import { expect, test } from "bun:test";
import { closeSync, openSync, readdirSync, readlinkSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { type Decide, type Gate, openGate, type Question } from "../../src/restore/gate.ts";
import { readable } from "../../src/sys/process.ts";

const variables = {
  CRTOOLS_SCRIPT_ACTION: "post-restore",
  CRTOOLS_INIT_PID: "4711",
  CRTOOLS_IMAGE_DIR: "/proc/815/fd/3",
};

/** The exit code of the gate's program, asked once and answered by `decide`; and what that threw. */
async function askedOnce(gate: Gate, decide: Decide): Promise<{ code: number; thrown: unknown }> {
  const program = Bun.spawn([gate.script], { env: variables });
  let thrown: unknown;
  const decided: Question[] = [];
  const once: Decide = (question) => {
    decided.push(question);
    return decide(question);
  };
  // It may ask in pieces.
  while (decided.length === 0 && readable([gate.questions], 5000).length > 0)
    try {
      gate.answer(once);
    } catch (error) {
      thrown = error;
    }
  return { code: await program.exited, thrown };
}

function open(): Gate {
  const opened = openGate();
  if (!opened.ok) throw new Error(opened.problem);
  return opened.gate;
}

test("yes is 0, no is 1, and a decision that throws is no", async () => {
  using gate = open();
  let question: Question | undefined;
  const yes = (asked: Question) => {
    question = asked;
    return true;
  };
  expect(await askedOnce(gate, yes)).toEqual({ code: 0, thrown: undefined });
  expect(question).toMatchObject({ point: "post-restore", root: 4711, criu: 815 });
  expect(await askedOnce(gate, () => false)).toEqual({ code: 1, thrown: undefined });
  const error = new Error("this breaks");
  const throws = () => {
    throw error;
  };
  expect(await askedOnce(gate, throws)).toEqual({ code: 1, thrown: error });
  // The next question is a new one.
  expect(await askedOnce(gate, () => true)).toEqual({ code: 0, thrown: undefined });
});

test("what was let go on at once has its answer, whatever comes of the rest", async () => {
  using gate = open();
  const decide: Decide = ({ goOn }) => {
    goOn!();
    throw new Error("this breaks later");
  };
  expect((await askedOnce(gate, decide)).code).toBe(0);
});

test("served, a decision that throws is no, and is heard of", async () => {
  using gate = open();
  const serving = gate.serve(() => {
    throw new Error("this breaks");
  });
  const heard = serving.then(
    () => "nothing",
    (error: Error) => error.message,
  );
  const program = Bun.spawn([gate.script], { env: variables });
  expect(await program.exited).toBe(1);
  expect(await heard).toBe("this breaks");
});

test("closed, it refuses, and nothing of it is left open", async () => {
  const gate = open();
  const { script } = gate;
  const pipe = readlinkSync(`/proc/self/fd/${gate.questions}`);
  const isOurs = (target: string) => target === pipe || target.startsWith("/memfd:recriu-gate");
  const held = () => readdirSync("/proc/self/fd").filter((fd) => isOurs(targetOf(fd))).length;
  expect(held()).toBe(3);
  const waiting = Bun.spawn([script], { env: variables });
  expect(readable([gate.questions], 5000)).toEqual([gate.questions]);
  gate[Symbol.dispose]();
  gate[Symbol.dispose]();
  expect(held()).toBe(0);
  // It still writes (and dies of SIGPIPE), or finds no answer to open: CRIU takes both for a no.
  expect([1, 128 + constants.signals.SIGPIPE]).toContain(await waiting.exited);
  expect(() => Bun.spawnSync([script], { env: variables })).toThrow();
});

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ""; // the listing's own
  }
}

test("an answer that was given at once is not given again: the next question has its own", async () => {
  using gate = open();
  const early: Decide = ({ goOn }) => {
    goOn!();
    return true;
  };
  expect((await askedOnce(gate, early)).code).toBe(0);
  expect((await askedOnce(gate, () => false)).code).toBe(1);
});

test("a question that comes in pieces is one, and is forgotten when it was answered", () => {
  using gate = open();
  const pipe = openSync(`/proc/self/fd/${gate.questions}`, "w");
  const decided: unknown[] = [];
  const note: Decide = ({ point, root }) => {
    decided.push([point, root]);
    return true;
  };
  const ask = (text: string) => {
    writeSync(pipe, text);
    gate.answer(note);
  };
  ask("CRTOOLS_SCRIPT_ACTION=post-");
  expect(decided).toEqual([]);
  ask("restore\0CRTOOLS_INIT_PID=5\0\n");
  ask("CRTOOLS_SCRIPT_ACTION=pre-resume\0CRTOOLS_INIT_PID=6\0\n");
  expect(decided).toEqual([
    ["post-restore", 5],
    ["pre-resume", 6],
  ]);
  closeSync(pipe);
});

test("of two variables of one name the one counts that getenv(3) takes: the program asks backwards", () => {
  using gate = open();
  const pipe = openSync(`/proc/self/fd/${gate.questions}`, "w");
  let found: Question | undefined;
  writeSync(pipe, "CRTOOLS_INIT_PID=8\0CRTOOLS_INIT_PIDS=9\0CRTOOLS_INIT_PID=7\0\n");
  gate.answer((question) => (found = question) !== undefined);
  expect(found).toMatchObject({ root: 7 });
  closeSync(pipe);
});
