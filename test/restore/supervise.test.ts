/** How long a running CRIU is let be: until its tree runs it is killed for what it does not do, afterwards for nothing. */
import { expect, test } from "bun:test";
import type { RunningCriu } from "../../src/criu/index.ts";
import { readStat } from "../../src/host/processes.ts";
import { supervise } from "../../src/restore/supervise.ts";
import { becomeSubreaper } from "../../src/sys/process.ts";

/** A child that stands for CRIU: it sleeps, and ends by itself. */
function sleeper(seconds: number): RunningCriu {
  const child = Bun.spawn(["sleep", String(seconds)]);
  const exited = child.exited.then((code) => ({ code, signal: child.signalCode }));
  const kill = (signal: NodeJS.Signals | number) => child.kill(signal);
  return {
    pid: child.pid,
    exited,
    kill,
    listen() {},
    problem: () => undefined,
    lastWords: () => undefined,
    log: async () => [],
  };
}

const ended = {
  exit: { code: 0, signal: null },
  givenUp: undefined,
  interrupted: undefined,
  at: [],
};

for (const [what, patience] of [
  ["--timeout", { timeoutSeconds: 0.1, stallSeconds: 0 }],
  ["--stall", { timeoutSeconds: undefined, stallSeconds: 0.1 }],
] as const) {
  test(`${what}: a CRIU whose tree does not run is killed, and it is said what it was at`, async () => {
    const seen = await supervise(sleeper(30), () => false, patience);
    expect(seen).toMatchObject({
      exit: { code: 137, signal: "SIGKILL" },
      givenUp: what === "--stall" ? "stalled" : "overdue",
    });
    expect(seen.at[0]).toMatch(/^criu \d+: /);
  });

  test(`${what}: an attached restore whose tree runs lasts as long as the tree`, async () => {
    expect(await supervise(sleeper(0.8), () => true, patience)).toEqual(ended);
  });
}

test("a signal ends a CRIU whose tree does not run at once, and reaches one whose tree runs as it is", async () => {
  for (const [runs, code] of [
    [false, 137],
    [true, 143],
  ] as const) {
    const child = sleeper(30);
    const supervised = supervise(child, () => runs, { timeoutSeconds: undefined, stallSeconds: 0 });
    process.emit("SIGTERM", "SIGTERM");
    expect(await supervised).toMatchObject({ exit: { code }, interrupted: "SIGTERM" });
  }
});

/** A CRIU that ends with a code and leaves a process, whose parent is this one then; its number. */
async function leaves(code: number): Promise<{ criu: RunningCriu; left: number }> {
  const words = ["sh", "-c", `sleep 60 >/dev/null & echo $!; exit ${code}`];
  const child = Bun.spawn(words, { stdout: "pipe" });
  const { value } = await child.stdout.getReader().read();
  const exited = child.exited.then((exit) => ({ code: exit, signal: child.signalCode }));
  const criu = { ...sleeper(0), pid: child.pid, exited, kill: () => child.kill() };
  return { criu, left: Number(Buffer.from(value!).toString()) };
}

test("what a dead CRIU leaves is ended before its tree runs, and let be afterwards", async () => {
  const patience = { timeoutSeconds: undefined, stallSeconds: 0 };
  becomeSubreaper();
  try {
    for (const [code, runs, stays] of [
      [3, false, false],
      [3, true, true],
      [0, false, true],
    ] as const) {
      const { criu, left } = await leaves(code);
      await supervise(criu, () => runs, patience);
      const stat = readStat(left);
      expect([code, runs, stat !== undefined && stat.state !== "Z"]).toEqual([code, runs, stays]);
      if (stays) process.kill(left, "SIGKILL");
    }
  } finally {
    becomeSubreaper(false);
  }
});

test("nothing of it goes on afterwards: signals are not caught, time is not kept", async () => {
  const listening = () =>
    ["SIGINT", "SIGTERM", "SIGHUP"].map((name) => process.listenerCount(name));
  const before = listening();
  const kills: unknown[] = [];
  const child = sleeper(0.05);
  const counting = { ...child, kill: (signal: NodeJS.Signals | number) => void kills.push(signal) };
  await supervise(counting, () => false, { timeoutSeconds: 0.3, stallSeconds: 0.2 });
  expect(listening()).toEqual(before);
  await Bun.sleep(700);
  expect(kills).toEqual([]);
});
