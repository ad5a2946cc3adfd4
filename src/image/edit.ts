/** An image with single fields changed, for a copy of it. */
import type { ImageDirectory } from "./directory.ts";
import { formatOf } from "./formats.ts";
import { readFrames, writeFrames } from "./frame.ts";
import { fromBytes, toBytes } from "./text.ts";
import { editedRoutes, isRoutes } from "./routes.ts";

export interface FieldEdit {
  /** Its place among the entries of its image. */
  entry: number;
  /** From the entry down: `thread_core.sched_prio`; `ipv4_sysctl.0` is an item of a list of messages. */
  field: string;
  /** null: the field is absent. Bytes are the text that they are. Of a list, the item concerned: a message as JSON. */
  from: number | string | null;
  /** null: the field, or the list's item, is left out. A number takes the place of an item that is one. */
  to: number | string | null;
}

/**
 * The bytes of `file` after `edits`. All else stays as it was read. A field that is not what it is edited `from` is a
 * problem: then the image is another one than the edits were made for. `version` is img_version of the inventory.
 */
export function editedImage(
  directory: ImageDirectory,
  file: string,
  edits: readonly FieldEdit[],
  version: number,
): { ok: true; bytes: Uint8Array } | { ok: false; problem: string } {
  const format = formatOf(file);
  type Edited = ReturnType<typeof editedImage>;
  const read = directory.read(file, (source): Edited => {
    if (isRoutes(file)) {
      const routes = editedRoutes(source, edits);
      return routes.ok ? routes : { ok: false, problem: `${file}: ${routes.problem}` };
    }
    if (format === undefined) return { ok: false, problem: `${file} is no image of entries` };
    const framed = readFrames(source, format, version);
    if (!framed.ok) return { ok: false, problem: `${file}: ${framed.fault.problem}` };
    for (const { entry, field, from, to } of edits)
      if (
        !change(framed.entries[entry]?.value as Record<string, unknown>, field.split("."), from, to)
      )
        return { ok: false, problem: `${file}: ${field} is no longer ${from ?? "absent"}` };
    return { ok: true, bytes: writeFrames(source, format, framed) };
  });
  return read.ok ? read.value : { ok: false, problem: `${file}: ${read.fault.problem}` };
}

/** Change the field at `path` below `value`. False: it is not `from`. */
function change(
  value: Record<string, unknown> | undefined,
  [name, ...rest]: string[],
  from: FieldEdit["from"],
  to: FieldEdit["to"],
): boolean {
  if (value === undefined || name === undefined) return false;
  const old = value[name];
  if (Array.isArray(value) && rest.length === 0) {
    const same = asText(old) === from;
    if (same && to === null) value.splice(Number(name), 1);
    else if (same) value[Number(name)] = to;
    return same;
  }
  if (rest.length > 0) return change(old as Record<string, unknown> | undefined, rest, from, to);
  if (Array.isArray(old)) {
    const at = old.indexOf(from);
    if (at >= 0) old.splice(at, 1);
    return at >= 0 && to === null;
  }
  if (old instanceof Uint8Array) {
    const same = fromBytes(old) === from;
    if (same && typeof to === "string") value[name] = toBytes(to);
    return same && typeof to === "string";
  }
  if (String(old ?? null) !== String(from)) return false;
  if (to === null) delete value[name];
  else value[name] = to;
  return true;
}

/** A message as the text that an edit names it by. */
export const asText = (message: unknown): string =>
  JSON.stringify(message, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  ) ?? "";
