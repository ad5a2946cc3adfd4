/**
 * This machine with the incident's programs: a mount namespace where /usr and /tmp are others, for the tree and for CRIU
 * alike. For CRIU, which is in it too, there is no container.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { repository } from "../built.ts";
import { criu, run, type Run, type Stage, waitFor } from "../restore/stage.ts";
import { programs } from "./desktop.ts";

export interface Host {
  /** Words to put before a command that is to run there. */
  enter: string[];
  /** /tmp there. */
  tmp: string;
  run(words: string[]): Promise<Run>;
}

export async function makeHost(stage: Stage): Promise<Host> {
  const [own, tmp] = [stage.dir, join(stage.dir, "tmp")];
  for (const dir of [join(tmp, basename(own)), join(own, "etc/over"), join(own, "etc/work")])
    mkdirSync(dir, { recursive: true });
  const holder = join(own, "holder");
  // The stage is below /tmp, and the repository may be.
  const below = repository.startsWith("/tmp/") ? repository : undefined;
  const steps = [
    "mount --make-rprivate /",
    `mount -t overlay overlay -o lowerdir=${programs}/etc:/etc,upperdir=${own}/etc/over,workdir=${own}/etc/work /etc`,
    `mount --bind ${programs}/usr /usr`,
    ...(below ? [`mkdir -p ${own}/repository ${tmp}${below.slice(4)}`] : []),
    ...(below ? [`mount --rbind ${below} ${own}/repository`] : []),
    `mount --rbind ${own} /mnt`,
    "mount --bind /mnt/tmp /tmp",
    `mount --bind /mnt ${own}`,
    ...(below ? [`mount --bind /mnt/repository ${below}`] : []),
    `echo $$ >${holder}`,
    "exec sleep 600",
  ];
  void run(stage, ["unshare", "--mount", "sh", "-ec", steps.join("; ")], { timeout: 600_000 });
  const held = () => existsSync(holder) && readFileSync(holder, "utf8").endsWith("\n");
  await waitFor("the mount namespace", held);
  const enter = ["nsenter", `--mount=/proc/${readFileSync(holder, "utf8").trim()}/ns/mnt`];
  const env = { RECRIU_CRIU: criu, NO_COLOR: "1" };
  return {
    enter,
    tmp,
    run: (words) => run(stage, [...enter, ...words], { env, timeout: 120_000 }),
  };
}
