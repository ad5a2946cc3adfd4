/** A bundle, and a script in the place of runc. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { criu, recriuBinary, run, type RunOptions, type Stage } from "../restore/stage.ts";

/** A bundle that grants nothing; what recriu says of that is not the matter here. */
const granted = "root-ignored,bundle-capabilities,bundle-no-new-privs,bundle-seccomp,bundle-users";

/** The end of the script that stands for runc: nothing of recriu's ends with that. */
export const CALLED = 7;

export function standIn(stage: Stage, text = `exit ${CALLED}`) {
  const [bin, bundle, empty] = ["bin", "bundle", "empty"].map((name) => join(stage.dir, name));
  for (const dir of [bin!, join(bundle!, "rootfs"), empty!]) mkdirSync(dir, { recursive: true });
  writeFileSync(join(bundle!, "config.json"), JSON.stringify({ root: { path: "rootfs" } }));
  writeFileSync(join(bin!, "runc"), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  const program = join(bin!, "recriu-runc");
  symlinkSync(recriuBinary, program);
  const env = { PATH: `${bin}:${process.env.PATH}`, RECRIU_CRIU: criu, RECRIU_IGNORE: granted };
  const words = (images: string, ...more: string[]) => [
    program,
    "restore",
    `--image-path=${images}`,
    `--bundle=${bundle}`,
    ...more,
    "container",
  ];
  const restore = (argv: string[], more: RunOptions["env"] = {}) =>
    run(stage, argv, { env: { ...env, NO_COLOR: "1", ...more } });
  return { words, restore, program, bundle: bundle!, empty: empty! };
}
