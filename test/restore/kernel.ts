/** What tasks hold of the kernel's, and limits of this machine that stop it from coming back. */
import { copyOf } from "./stage/dumped.ts";
import { edit } from "./edit.ts";
import { type Stage } from "./stage.ts";
import { readFileSync, writeFileSync } from "node:fs";

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
  const copy = copyOf(stage, images, name);
  edit(copy, file, change);
  return copy;
}
