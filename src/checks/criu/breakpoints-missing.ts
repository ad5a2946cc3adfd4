/** Machines on which no hardware breakpoint is ever met (kerndat.c, kerndat_breakpoints; parasite-syscall.c). */
import { knows } from "../../criu/index.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context } from "../finding.ts";

/** CRIU's own switch to do without: a number of its fault injection. */
const VARIABLE = "CRIU_FAULT";

const WITHOUT = "130";

/** A library that sets the variable, which scripts/setup gives to the CRIUs that it fetches. */
const LIBRARY = "no-breakpoints.so";

export const breakpointsMissing: Check = {
  title: "Hardware breakpoints do not work here, and this CRIU waits for one for ever",
  reads:
    "criu --version, CRIU_FAULT; perf_event_open(2) with a breakpoint on a word of recriu's own, which is then written",
  why:
    "CRIU before 4.2 stops each task at the end of its restore by a hardware breakpoint. Some virtual machines take it and never stop there, so every " +
    "restore stands still (every dump, too). With its variable CRIU_FAULT=130 CRIU goes step by step instead, which is slower and changes nothing else; " +
    "recriu sets it for the CRIU that it starts. Where the kernel lets no program ask for breakpoints, this check says nothing.",
  proof: "harm",
  answers: ["variable", "person"],
  run(context) {
    const { criu, host } = context;
    if (criu === undefined || knows(criu.version, "breakpointsTried", true)) return [];
    const value = host.variable(VARIABLE);
    if (value === WITHOUT || host.breakpoints !== false || isTold(context)) return [];
    return [
      {
        severity: "blocker",
        image: "",
        subject: criu.path,
        message: `hardware breakpoints do not work on this machine, and CRIU ${criu.version} would wait for one for ever`,
        remedy:
          value === undefined
            ? {
                kind: "variable",
                text: "tell CRIU to do without, or install CRIU 4.2 or later",
                command: sh`CRIU_FAULT=130 criu restore ${context.request.argv}`,
                variable: `${VARIABLE}=${WITHOUT}`,
              }
            : {
                kind: "human",
                text: `${VARIABLE} is set to something else: set it to ${WITHOUT}, or install CRIU 4.2 or later`,
                command: sh`export CRIU_FAULT=130`,
              },
      },
    ];
  },
};

const isTold = ({ criu, host }: Context): boolean => host.libraries(criu!.path).includes(LIBRARY);
