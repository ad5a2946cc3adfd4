/** The first instructions of the program are what their listings say. */
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tool } from "./systems.ts";

const source = readFileSync(join(import.meta.dir, "../../scripts/needs-proc.ts"), "utf8");
/** What stands behind the code, as an assembler is told. */
const [, look = "", say = ""] = /^const TEXT =\n {2}(".*") \+\n {2}(".*");$/m.exec(source)!;
const [path, cwd, root] = JSON.parse(look.replaceAll("\\0", "\\u0000")).split("\0");
const text = `path: .asciz "${path}"\ncwd: .asciz "${cwd}"\nroot: .asciz "${root}"\nmessage: .ascii ${say}\nend:\n`;

for (const [name, assembler, syntax] of [
  ["x64", ["as"], ".intel_syntax noprefix\n"],
  ["arm64", tool("usr/bin/aarch64-linux-gnu-as"), ""],
] as const)
  test(`${name}: what an assembler makes of the words`, () => {
    const dir = mkdtempSync(join(tmpdir(), "stub-"));
    const [, listing = ""] = new RegExp(`^const ${name} = \`\n(.*?)^\`;`, "ms").exec(source)!;
    const words = listing.replace(/^ {2}(?:[0-9a-f]{2} )+/gm, "");
    const made = Bun.spawnSync([...assembler, "-o", join(dir, "object"), "-"], {
      stdin: Buffer.from(`${syntax}${words}\n${text}`),
    });
    expect(made.stderr.toString()).toBe("");
    const hex = [...listing.matchAll(/^ {2}((?:[0-9a-f]{2} )+)/gm)].map(([, bytes]) => bytes);
    const code = Buffer.from(hex.join("").replaceAll(" ", ""), "hex");
    expect(code.length).toBeGreaterThan(100);
    expect(readFileSync(join(dir, "object")).includes(code)).toBe(true);
    rmSync(dir, { recursive: true });
  });
