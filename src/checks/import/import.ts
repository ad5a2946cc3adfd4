/** What stops an engine before it calls CRIU. */
import type { ShellCommand } from "../../sys/shell.ts";
import type { Problem } from "../finding.ts";

export const stops = (
  subject: string,
  message: string,
  text: string,
  command: ShellCommand | null = null,
): Problem => ({
  severity: "blocker",
  image: "config.dump",
  subject,
  message,
  remedy: { kind: "human", text, command },
});
