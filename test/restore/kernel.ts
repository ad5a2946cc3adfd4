/** What tasks hold of the kernel's, and limits of this machine that stop it from coming back. */
import { edit } from "./edit.ts";
import { dump, type Stage, start } from "./stage.ts";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export async function dumpOf(stage: Stage, ...args: string[]) {
  const { pid } = await start(stage, "kernel", args);
  return { pid, images: await dump(stage, pid) };
}

/** A setting of this machine until the callback ends. */
export async function withSetting<T>(
  name: string,
  value: number,
  use: () => Promise<T>,
): Promise<T> {
  const file = `/proc/sys/${name}`;
  const before = readFileSync(file, "utf8");
  writeFileSync(file, `${value}`);
  try {
    return await use();
  } finally {
    writeFileSync(file, before);
  }
}

export function changed(
  stage: Stage,
  images: string,
  name: string,
  file: string,
  change: (values: any[]) => void,
) {
  const copy = join(stage.dir, name);
  cpSync(images, copy, { recursive: true });
  edit(copy, file, change);
  return copy;
}
