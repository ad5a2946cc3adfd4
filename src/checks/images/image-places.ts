/** Where CRIU reads images on this machine: their directory, and those that `parent` leads to (image.c, open_parent). */
import { join } from "../../sys/path.ts";
import type { Context } from "../finding.ts";

interface ImagePlace {
  /** Without links. */
  directory: string;
  names: readonly string[];
  /** Images that are links, and where each leads; undefined where that cannot be told. */
  links: readonly { name: string; path: string | undefined }[];
}

const PARENT = "parent";

/** Nearest first. A chain that leads back to itself ends there. */
export function imagePlaces({ checkpoint, host }: Context): ImagePlace[] {
  const opened = host.root("/");
  if (!opened.ok) return [];
  const { root } = opened;
  const places: ImagePlace[] = [];
  const { dir } = checkpoint;
  let at = root.real(host.absolute(dir));
  while (at !== undefined && !places.some(({ directory }) => directory === at)) {
    const directory = at;
    const names = places.length === 0 ? [...checkpoint.files] : root.list(directory);
    const links = names
      .filter((name) => name !== PARENT && host.entry(join(directory, name))?.isSymbolicLink())
      .map((name) => ({ name, path: root.real(join(directory, name)) }));
    places.push({ directory, names, links });
    at = names.includes(PARENT) ? root.real(join(directory, PARENT)) : undefined;
  }
  return places;
}
