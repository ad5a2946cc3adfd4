import type { Check } from "../finding.ts";

export const optionUnknown: Check = {
  title: "An option is given that recriu does not know",
  reads:
    "the options given, and the fields of a runtime's request; criu --help, only where an option is not known",
  why:
    "A CRIU of a later release has options that recriu has not learned yet. They are passed on as they were given. What they change " +
    "about the restore is not known, so no check has looked at it; everything else is checked and verified as ever.",
  proof: "images",
  blocks: false,
  run: ({ request, criu }) =>
    request.beyond.map((name) => ({
      severity: "info",
      image: "",
      subject: name,
      message: `recriu does not know ${name}, which ${name.startsWith("--") ? `CRIU ${criu?.version ?? "of unknown version"}` : "the request"} has: it is passed on, and what it changes was not looked at`,
      remedy: { kind: "human", text: "a later recriu may know it" },
    })),
};
