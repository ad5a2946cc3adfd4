/** A name with everything in it that could run in a shell, end a quote or a line, or steer a terminal; and a tree that has it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Stage, start } from "./stage.ts";
import { compile } from "./stage/compile.ts";

/** Not UTF-8, and a newline is its last byte. */
export const HOSTILE: Buffer = Buffer.concat([
  Buffer.from("-x$(touch PWNED)`touch PWNED`'\"\\ !!\n\r\u2028\u001b]0;PWNED\u0007 \u202eé%s"),
  Buffer.of(0xff, 0x0a),
]);

/** A path as node:fs takes one that is no text, which its types here do not know. */
export const path = (...parts: (string | Buffer)[]): string =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string))) as unknown as string;

/** Start the workload `objects` with words that are no text: a script has them. */
export function startThings(stage: Stage, words: readonly string[]): Promise<{ pid: number }> {
  const quoted = words.map((word) => Buffer.from(word).toString("latin1").replaceAll("'", "'\\''"));
  const command = ["exec", compile("objects"), '"$1"', ...quoted.map((word) => `'${word}'`)];
  const script = join(stage.dir, "objects.sh");
  const text = Buffer.from(`#!/bin/sh\n${command.join(" ")}\n`, "latin1");
  writeFileSync(script, text, { mode: 0o755 });
  return start(stage, "objects", [], { program: script });
}
