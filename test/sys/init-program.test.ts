/** The init's program as a file, for each machine; what it does is seen in test/restore/isolate. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { initProgram, WORD, wordOf } from "../../src/sys/init-program.ts";
import { repository } from "../built.ts";

const ADDRESS = 0x400000;
const ORDER = 48;

// The other machine's is assembled by the build; here there may be no assembler for it.
for (const machine of [process.arch])
  test(`${machine}: its order is at the end, behind it the steps, and what they point to is there`, () => {
    const source = join(repository, "src/sys/init-program", `${machine}.S`);
    const made = Bun.spawnSync([join(repository, "scripts/assemble"), source]);
    expect(made.stderr.toString()).toBe("");
    const empty = made.stdout;
    expect(empty.subarray(-ORDER).every((byte) => byte === 0)).toBe(true);
    const steps = [[1, 2, "text", -1], [3]] as const;
    const fds = { control: 3, status: 4, first: 3, last: 9 };
    const program = Buffer.from(
      initProgram(
        { namespaces: 0x20020000, steps, later: [[4, 5]], fds },
        empty.toString("base64"),
      ),
    );
    for (const size of [96, 104])
      expect(program.readBigUInt64LE(size)).toBe(BigInt(program.length));
    const at = empty.length - ORDER;
    expect(program.readBigUInt64LE(at)).toBe(0x20020000n);
    expect(program.readBigUInt64LE(at + 16)).toBe(2n);
    expect(program.readBigUInt64LE(at + 24)).toBe(1n);
    expect([32, 36, 40, 44].map((field) => program.readInt32LE(at + field))).toEqual([3, 4, 3, 9]);
    const step = [0, 8, 16, 24, 32].map((field) => program.readBigInt64LE(empty.length + field));
    const text = BigInt(ADDRESS + empty.length + 3 * 56);
    expect(program.readBigInt64LE(empty.length + 2 * 56)).toBe(4n);
    expect(step).toEqual([1n, 2n, text, -1n, 0n]);
    expect(program.subarray(Number(text) - ADDRESS).toString()).toBe("text\0");
  });

test("its words", () => {
  const word = (letter: string, toCome: number, value: number) => {
    const bytes = Buffer.alloc(WORD);
    bytes.writeUInt32LE((toCome << 8) | letter.charCodeAt(0), 0);
    bytes.writeInt32LE(value, 4);
    return wordOf(bytes);
  };
  expect(word("p", 0, 4711)).toEqual({ about: "made", toCome: 0, value: 4711 });
  expect(word("f", 3, -13)).toEqual({ about: "step", toCome: 3, value: -13 });
  expect(word("s", 0, 9)).toEqual({ about: "ended", toCome: 0, value: 9 });
});
