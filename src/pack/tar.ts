/** A tar(5) that is written as it is made, by tar-stream. */
import type { Pack } from "tar-stream";
import { writeAll } from "../sys/own-file.ts";

export interface Member {
  /** Relative. */
  name: string;
  mode: number;
  size: number;
  /** Its bytes, exactly `size` of them; no piece is changed later. */
  pieces: Iterable<Uint8Array>;
}

/** Write the archive of `members` to `out`. Owner 0:0, time 0: the same members make the same archive. */
export async function writeTar(out: number, members: Iterable<Member>): Promise<void> {
  const { pack } = await import("tar-stream");
  const tar = pack();
  const fill = async () => {
    for (const member of members) await add(tar, member);
    tar.finalize();
  };
  const write = async () => {
    for await (const piece of tar) writeAll(out, piece as Uint8Array);
  };
  await Promise.all([fill(), write()]);
}

function add(tar: Pack, { name, mode, size, pieces }: Member): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const entry = tar.entry({ name, mode, size, mtime: new Date(0) }, (error) =>
    error ? reject(new Error(`${name}: ${error.message}`)) : resolve(),
  );
  const fill = async () => {
    for (const piece of pieces)
      if (!entry.write(piece)) await new Promise<void>((drained) => entry.once("drain", drained));
    entry.end(undefined);
  };
  fill().catch((error: Error) => {
    reject(error);
    entry.destroy(error);
  });
  return promise;
}
