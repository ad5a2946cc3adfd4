/** The incident's tree: an X11-like server with a client that stays connected (test/workloads/x11-server.c). */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { descendants, dump, type Stage, start } from "./stage.ts";

export interface X11 {
  pid: number;
  tasks: number[];
  images: string;
  /** The directory of its sockets. */
  sockets: string;
  /** What its client writes: a line an echo. */
  progress: string;
}

/** Started, dumped, and gone. `cgroups`: directories of cgroups to start it in; `program`: a copy of it to run. */
export async function dumpX11(
  stage: Stage,
  cgroups: string[] = [],
  program?: string,
): Promise<X11> {
  const sockets = join(stage.dir, ".X11-unix");
  const progress = join(stage.dir, "progress");
  const { pid } = await start(stage, "x11-server", [sockets, progress], {
    cgroups,
    ...(program !== undefined && { program }),
  });
  const tasks = [pid, ...descendants(pid).map((task) => task.pid)];
  return { pid, tasks, images: await dump(stage, pid), sockets, progress };
}

/** How many echoes its client has had. */
export const echoes = ({ progress }: X11): number =>
  readFileSync(progress, "utf8").split("\n").length - 1;

/** What the server at a socket echoes to a new client. */
export const echo = (socket: string, question: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const client = connect(socket, () => client.write(question));
    client.once("data", (answer) => {
      client.destroy();
      resolve(answer.toString());
    });
    client.once("error", reject);
  });

/** One echo over a new connection. */
export const ask = ({ sockets }: X11, question: string): Promise<string> =>
  echo(join(sockets, "X7"), question);
