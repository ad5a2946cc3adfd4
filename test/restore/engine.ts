/** What Podman and Docker need to be staged: their programs, a runc for this machine, an image, a client. */
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { criu, run, type Stage } from "./stage.ts";
import { compile, repository } from "./stage/compile.ts";

const runtimes = join(repository, ".cache/runtimes");

/** runc, after what this machine does not allow (raised limits, another oom_score_adj) is out of the configuration. */
const meek = `#!/bin/sh
for word; do [ ! -f "$word/config.json" ] || sed -i -E 's/"rlimits":\\[[^]]*\\],?//; s/"oomScoreAdj":-?[0-9]+/"oomScoreAdj":0/' "$word/config.json"; done
exec ${join(runtimes, "runc/runc")} "$@"
`;

/** A program of scripts/setup. */
export const program = (name: string): string => join(runtimes, name, name);

/** A directory with `runc` and `criu`, to be the first in PATH. */
export function makeBin(stage: Stage): string {
  const bin = join(stage.dir, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "runc"), meek);
  chmodSync(join(bin, "runc"), 0o755);
  symlinkSync(criu, join(bin, "criu"));
  return bin;
}

/** A root file system with the server of the incident, as a tar. */
export async function makeImage(stage: Stage): Promise<string> {
  const root = join(stage.dir, "image");
  for (const dir of ["proc", "dev", "sys", "tmp", "etc", "run"])
    mkdirSync(join(root, dir), { recursive: true });
  copyFileSync(compile("x11-server", true), join(root, "x11-server"));
  const tar = join(stage.dir, "image.tar");
  await run(stage, ["tar", "-C", root, "-cf", tar, "."]);
  return tar;
}

/** What the server at a socket echoes to a new client. */
export const echo = (socket: string, question: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const connection = connect(socket, () => connection.write(question));
    connection.once("data", (answer) => {
      connection.destroy();
      resolve(answer.toString());
    });
    connection.once("error", reject);
  });
