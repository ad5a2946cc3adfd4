/** The images of a directory, each read once, and what was wrong with them. */
import type { ImageDirectory } from "./directory.ts";
import type { Fault } from "./fault.ts";
import { type Format, formatOf, type TableOf, tableAt } from "./formats.ts";
import { entriesOf, type Entry, type Framed, readFrames } from "./frame.ts";
import type { Infer, Message } from "./schema.ts";
import { inventory_entry } from "./tables/inventory.ts";
import { pstree_entry } from "./tables/process.ts";
import type { Recent } from "./wire.ts";

/** CRIU fails without an image, it is there as a rule, or only where there is something to say. */
export type Need = "required" | "usual" | "optional";

/** What CRIU 4.2 prints for an image that is not there; of most it says nothing, and crashes or loses what they held. */
function saysOfMissing(file: string, rootPid: number | undefined): string | null {
  if (file === `ids-${rootPid}.img`) return "No IDS for root task.";
  return /^(inventory|core-\d+|ghost-file-[0-9a-f]+)\.img$/.test(file)
    ? "Unexpected EOF on (empty-image)"
    : null;
}

export class Images {
  /** What could not be read so far. */
  readonly faults: Fault[] = [];
  private readonly known = new Map<string, readonly Entry[]>();
  private readonly lists = new Map<string, readonly unknown[]>();
  private readonly recent: Recent = new Map();

  constructor(private readonly directory: ImageDirectory) {}

  /**
   * What an image holds of a table; the same list each time. Throws where its format has no such table: the types say so
   * of names that the compiler knows.
   */
  values<File extends string, M extends TableOf<File>>(
    file: File,
    of: M,
    need: Need,
  ): readonly Infer<M>[] {
    const key = `${of.name} ${file}`;
    let list = this.lists.get(key) as readonly Infer<M>[] | undefined;
    if (list === undefined) {
      list = entriesOf(formatNamed(file), this.all(file, need), of).map(({ value }) => value);
      this.lists.set(key, list);
    }
    return list;
  }

  /** Every entry with its table. */
  tabled(file: string): readonly { of: Message<any>; value: unknown }[] {
    const format = formatOf(file);
    if (format === undefined) return [];
    return this.all(file, "optional").map(({ value }, at) => ({ of: tableAt(format, at), value }));
  }

  /** Every entry, with where it was read and where the data behind it is. */
  all(file: string, need: Need): readonly Entry[] {
    const known = this.known.get(file);
    if (known !== undefined) return known;
    const format = formatNamed(file);
    const version = file === "inventory.img" ? 2 : this.version;
    const read = this.directory.read(file, (source): Framed =>
      readFrames(source, format, version, this.recent),
    );
    let entries: readonly Entry[] = [];
    if (!read.ok) {
      if (read.fault.kind !== "missing") this.faults.push(read.fault);
      else if (need === "usual")
        this.faults.push({
          ...read.fault,
          kind: "absent",
          problem: "it is not there, and there are files that no other descriptor holds",
        });
      else if (need === "required")
        this.faults.push({
          ...read.fault,
          problem: "the restore needs it, and it is not there",
          criu_message: saysOfMissing(file, file.startsWith("ids-") ? this.rootPid : undefined),
        });
    } else if (!read.value.ok) this.faults.push(read.value.fault);
    else entries = read.value.entries;
    this.known.set(file, entries);
    return entries;
  }

  /** Images that need not be there are no faults where `nothingLost` says that nothing was in them. */
  forgetAbsent(nothingLost: () => boolean): void {
    const isAbsent = ({ kind }: Fault) => kind === "absent";
    if (!this.faults.some(isAbsent) || !nothingLost()) return;
    const others = this.faults.filter((fault) => !isAbsent(fault));
    this.faults.splice(0, Infinity, ...others);
  }

  /** img_version of the inventory. */
  private get version(): number {
    return this.values("inventory.img", inventory_entry, "required")[0]?.img_version ?? 2;
  }

  private get rootPid(): number | undefined {
    return this.values("pstree.img", pstree_entry, "required")[0]?.pid;
  }
}

function formatNamed(file: string): Format {
  const format = formatOf(file);
  if (format === undefined) throw new Error(`no format of ${file} is known`);
  return format;
}
