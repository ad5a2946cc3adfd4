/** Keys and signatures of the real minisign, Debian's, by the loader of the system that the set-up unpacked it in. */
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemRoot } from "../release/systems.ts";
import { run, type Stage } from "./stage.ts";

const tools = systemRoot("tools");

export const minisign = (stage: Stage, words: readonly string[]) =>
  run(stage, [
    join(tools, "lib64/ld-linux-x86-64.so.2"),
    "--library-path",
    ["lib", "usr/lib"].map((dir) => join(tools, dir, "x86_64-linux-gnu")).join(":"),
    join(tools, "usr/bin/minisign"),
    ...words,
  ]);

export interface KeyPair {
  readonly secret: string;
  readonly file: string;
  /** What stands in that file. */
  readonly key: string;
}

/** A key without a password. */
export async function keyPair(stage: Stage, name: string): Promise<KeyPair> {
  const [secret, file] = [join(stage.dir, `${name}.key`), join(stage.dir, `${name}.pub`)];
  expect((await minisign(stage, ["-G", "-W", "-p", file, "-s", secret])).exit).toBe(0);
  return { secret, file, key: readFileSync(file, "utf8").split("\n")[1]! };
}
