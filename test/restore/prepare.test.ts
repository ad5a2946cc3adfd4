/** One restore, whoever asks: what comes of it, by hand. */
import { expect, test } from "bun:test";
import type { Finding } from "../../src/checks/index.ts";
import { requestFrom } from "../../src/criu/index.ts";
import type { Plan } from "../../src/plan/index.ts";
import type { Preflight } from "../../src/plan/preflight.ts";
import { type Caller, prepare, unseen } from "../../src/restore/prepare.ts";

const PID = 0x3ffff0;

function asked(words: string[] = [], env: Record<string, string> = {}) {
  const understood = requestFrom(["-D", "/nowhere", ...words], env, []);
  if (!understood.ok) throw new Error(understood.problem);
  return understood;
}

/** What a look at images came to; the checks themselves are another room's. */
function seen(plan: Partial<Plan>, more: object = {}): Preflight {
  const empty = {
    outcome: "ready",
    repairs: [],
    edits: [],
    options: [],
    environment: [],
    isolate: [],
    network: null,
    dirs: [],
  };
  return {
    checkpoint: {
      dir: "/nowhere",
      files: new Set(["inventory.img"]),
      tasks: [{ pid: PID, threads: [] }],
    },
    criu: { version: "4.2" },
    findings: [],
    plan: { ...empty, leftovers: [], unanswered: [], ...plan },
    ...more,
  } as unknown as Preflight;
}

const callerOf = (preflight: Preflight | string, more: Partial<Caller> = {}): Caller => ({
  forCriu: true,
  look: async () =>
    typeof preflight === "string" ? { ok: false, problem: preflight } : { ok: true, preflight },
  asks: () => true,
  reaches: () => true,
  again: undefined,
  ...more,
});

const come = (caller: Caller, { request, settings } = asked()) =>
  prepare(request, settings, caller);
const untrusted = asked([], { RECRIU_UNTRUSTED: "1" });

test("what nobody can look at is CRIU's alone, but not where it is untrusted", async () => {
  const noImages = seen({}, { checkpoint: { dir: "/nowhere", files: new Set() } });
  const later = seen(
    {},
    {
      criu: { version: "4.3" },
      checkpoint: {
        dir: "/nowhere",
        files: new Set(["inventory.img"]),
        inventory: { img_version: 4 },
      },
    },
  );
  for (const caller of [
    callerOf(seen({}), { unseen: "--stream: the images are not here" }),
    callerOf("/nowhere: there is no such directory"),
    callerOf(noImages),
    callerOf(later),
  ]) {
    expect(await come(caller)).toMatchObject({ kind: "aside" });
    const refused = {
      kind: "refused",
      problem: expect.stringMatching(/^untrusted, and not looked at: /),
    };
    expect(await come(caller, untrusted)).toMatchObject(refused);
  }
  expect(unseen("why", untrusted.settings)).toMatchObject({ kind: "refused" });
});

test("recriu itself says of everything what it can", async () => {
  const itself = { forCriu: false };
  const nowhere = await come(callerOf("there is no such directory", itself));
  expect(nowhere).toEqual({ kind: "refused", problem: "there is no such directory" });
  const noImages = seen({}, { checkpoint: { files: new Set(), tasks: [] } });
  expect(await come(callerOf(noImages, itself))).toMatchObject({ kind: "ready" });
});

test("an option that does not reach CRIU answers nothing", async () => {
  const option = "--manage-cgroups=ignore";
  const finding = (severity: string) =>
    ({ id: "x", severity, remedy: { kind: "option", option } }) as unknown as Finding;
  const planned = seen(
    { options: [option] },
    { findings: [finding("blocker"), finding("warning")] },
  );
  expect(await come(callerOf(planned))).toMatchObject({ kind: "ready" });
  const lost = callerOf(planned, { reaches: (each) => each !== option });
  expect(await come(lost)).toMatchObject({ kind: "blocked", blockers: [{ severity: "blocker" }] });
  const unanswered = finding("blocker");
  const blocked = seen({ unanswered: [unanswered] }, { findings: [unanswered] });
  expect(await come(callerOf(blocked))).toMatchObject({ kind: "blocked", blockers: [unanswered] });
});

test("a CRIU that asks nobody is given nothing that has to be waited for or set right", async () => {
  const old = { asks: (version?: string) => version !== "4.2" };
  expect(await come(callerOf(seen({}), old))).toMatchObject({ kind: "ready", gate: false });
  expect(await come(callerOf(seen({})))).toMatchObject({ kind: "ready", gate: true });
  const edited = callerOf(seen({ edits: [{} as Plan["edits"][number]] }), old);
  expect(await come(edited)).toMatchObject({
    kind: "refused",
    problem: expect.stringContaining("3.19"),
  });
  expect(await come(callerOf(seen({}), old), asked(["--auto-dedup"]))).toMatchObject({
    kind: "refused",
  });
});

test("wrong settings are refused also where nothing can be looked at", () => {
  const before = process.env.RECRIU_FIX;
  process.env.RECRIU_FIX = "nonsense";
  try {
    const problem = expect.stringContaining("RECRIU_FIX is");
    expect(unseen("why")).toMatchObject({ kind: "refused", problem });
  } finally {
    if (before === undefined) delete process.env.RECRIU_FIX;
    else process.env.RECRIU_FIX = before;
  }
  expect(unseen("why")).toEqual({ kind: "aside", why: "why" });
});
