/** What a package holds, and the archives that hold it: tar (by tar-stream), ar, cpio (newc). The same bytes every time. */
import { pack } from "tar-stream";

export interface Item {
  /** Without a slash at the beginning: `usr/bin/recriu`. */
  readonly path: string;
  readonly mode: number;
  readonly data: Uint8Array;
  /** Of a symbolic link, which a tar alone may hold, where it leads. */
  readonly leads?: string;
}

export const file = (path: string, data: Uint8Array | string, mode = 0o644): Item => ({
  path,
  mode,
  data: typeof data === "string" ? Buffer.from(data) : data,
});

export const link = (path: string, leads: string): Item => ({ ...file(path, "", 0o777), leads });

/** Every directory that leads to one of the items, parents first. */
export function directoriesOf(items: readonly Item[]): string[] {
  const all = items.flatMap(({ path }) => {
    const parts = path.split("/");
    return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
  });
  return [...new Set(all)].sort();
}

/** `prefix` goes before every path; `./` in a .deb. */
export async function tar(items: readonly Item[], epoch: number, prefix = ""): Promise<Buffer> {
  const archive = pack();
  const mtime = new Date(epoch * 1000);
  const owner = { mtime, uname: "root", gname: "root" };
  for (const path of directoriesOf(items))
    archive.entry({ name: `${prefix}${path}/`, mode: 0o755, type: "directory", ...owner });
  for (const { path, mode, data, leads } of byPath(items)) {
    const head = { name: prefix + path, mode, ...owner };
    if (leads === undefined) archive.entry(head, data);
    else archive.entry({ ...head, type: "symlink", linkname: leads });
  }
  archive.finalize();
  const pieces: Uint8Array[] = [];
  for await (const piece of archive) pieces.push(piece as Uint8Array);
  return Buffer.concat(pieces);
}

/** ar(5), as a .deb is one. */
export function ar(members: readonly Item[], epoch: number): Buffer {
  const parts = members.flatMap(({ path, mode, data }) => [
    Buffer.from(
      `${path.padEnd(16)}${String(epoch).padEnd(12)}0     0     ${`100${mode.toString(8)}`.padEnd(8)}` +
        `${String(data.length).padEnd(10)}\`\n`,
    ),
    data,
    Buffer.from("\n".repeat(data.length % 2)),
  ]);
  return Buffer.concat([Buffer.from("!<arch>\n"), ...parts]);
}

/** cpio(5) "newc", as the payload of an .rpm: `directories` are of it, too. */
export function cpio(entries: readonly Item[], epoch: number): Buffer {
  const record = (index: number, name: string, mode: number, data: Uint8Array) => {
    const fields = [index, mode, 0, 0, 1, epoch, data.length, 0, 0, 0, 0, name.length + 1, 0];
    const head = Buffer.from(
      `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${name}\0`,
    );
    return [head, padding(head, 4), data, padding(data, 4)];
  };
  return Buffer.concat([
    ...entries.flatMap(({ path, mode, data }, index) => record(index + 1, `./${path}`, mode, data)),
    ...record(0, "TRAILER!!!", 0, Buffer.alloc(0)),
  ]);
}

export const byPath = (items: readonly Item[]): Item[] =>
  [...items].sort((a, b) => (a.path < b.path ? -1 : 1));

const padding = (data: Uint8Array, to: number): Buffer => Buffer.alloc(-data.length & (to - 1));
