/** The images of a directory, each read once, and what was wrong with them. */
import type { ImageDirectory } from "./directory.ts";
import type { Fault } from "./fault.ts";
import { type Format, formatOf, type TableOf, tableAt } from "./formats.ts";
import {
  type Entry,
  type Framed,
  isHead,
  readFrames,
  type RecentImages,
  valuesOf,
} from "./frame.ts";
import type { Infer, Message } from "./schema.ts";
import { inventory_entry } from "./tables/inventory.ts";
import { pstree_entry } from "./tables/process.ts";
import { Room } from "./room.ts";

/** CRIU fails without an image, it is there as a rule, or only where there is something to say. */
export type Need = "required" | "usual" | "optional";

/** What CRIU 4.2 prints for an image that is not there; of most it says nothing, and crashes or loses what they held. */
function saysOfMissing(file: string, rootPid: number | undefined): string | null {
  if (file === `ids-${rootPid}.img`) return "No IDS for root task.";
  return /^(inventory|core-\d+|ghost-file-[0-9a-f]+)\.img$/.test(file)
    ? "Unexpected EOF on (empty-image)"
    : null;
}

/** Bytes of page data that are there, holes not counted. */
function pageData(directory: ImageDirectory): number {
  let bytes = 0;
  for (const file of directory.names)
    if (file.startsWith("pages-")) bytes += (directory.size(file) ?? 0) - directory.holes(file);
  return bytes;
}

/** An image that was read, and what it holds as soon as that was asked for. */
interface Image {
  readonly format: Format;
  readonly entries: readonly Entry[];
  heads: readonly unknown[] | undefined;
  values: readonly unknown[] | undefined;
}

/** A field of a message that no table here has. */
export interface StrangeField {
  readonly file: string;
  readonly message: string;
  readonly number: number;
}

/** Faults after which no more are looked for: a hostile pstree.img can make up a million threads. */
const ENOUGH = 1000;

/** Enough to tell which CRIU wrote them. */
const MOST_STRANGE = 20;

export class Images {
  /** What could not be read so far. */
  readonly faults: Fault[] = [];
  #grave = 0;
  /** Fields that the tables do not know, each where it was met first. */
  readonly strange = new Map<string, StrangeField>();
  private readonly cache = new Map<string, Image>();
  private readonly recent: RecentImages;
  /** The last image of each format whose values were asked for. */
  private readonly listed = new Map<Format, Image>();
  /** img_version of the inventory, which itself is read without. */
  private version: number | undefined;

  constructor(private readonly directory: ImageDirectory) {
    this.recent = {
      last: new Map(),
      images: new Map(),
      room: new Room(() => pageData(directory)),
    };
  }

  /**
   * What an image holds of a table; the same list each time, and of images with the same bytes behind their heads. Throws where its format has no such table: the types say so
   * of names that the compiler knows.
   */
  values<File extends string, M extends TableOf<File>>(
    file: File,
    of: M,
    need: Need,
  ): readonly Infer<M>[] {
    const image = this.image(file, need);
    const { format, entries } = image;
    if (isHead(format, of))
      return (image.heads ??= valuesOf(format, entries, of)) as readonly Infer<M>[];
    if (image.values === undefined) {
      const before = this.listed.get(format);
      const first = format.head ? 1 : 0;
      const isAgain = entries[first] !== undefined && entries[first] === before?.entries[first];
      image.values = isAgain ? before!.values : valuesOf(format, entries, of);
      this.listed.set(format, image);
    }
    return image.values as readonly Infer<M>[];
  }

  /** Read the image, if it is one that CRIU knows: it is no fault that it is not needed. */
  read(file: string): void {
    if (!this.cache.has(file) && formatOf(file) !== undefined) this.image(file, "optional");
  }

  /** Checkpoint.messages, of these files. */
  messages(
    files: Iterable<string>,
    tell: (value: any, of: Message<any>, file: string) => boolean | void,
    wanted: (of: Message<any>) => boolean,
  ): void {
    const last = new Map<Format, readonly Entry[]>();
    for (const file of files) {
      const format = this.cache.get(file)?.format ?? formatOf(file);
      if (format === undefined) continue;
      const { head, entry } = format;
      if (!wanted(entry) && (head === undefined || !wanted(head))) continue;
      const { entries } = this.image(file, "optional");
      if (last.get(format) === entries) continue;
      last.set(format, entries);
      for (let at = 0; at < entries.length; at++)
        if (tell(entries[at]!.value, tableAt(format, at), file) === false) return;
    }
  }

  /** Every entry, with where it was read and where the data behind it is. */
  all(file: string, need: Need): readonly Entry[] {
    return this.image(file, need).entries;
  }

  /** The last one that is kept says that there may be more. */
  fault(fault: Fault): void {
    if (this.isBeyondCare) return;
    this.faults.push(fault);
    if (fault.kind === "absent") return;
    this.#grave += 1;
    if (!this.isBeyondCare) return;
    const problem = `it is the last of ${ENOUGH} that were looked at; the others were not`;
    this.faults.push({ ...fault, problem, criu_message: null });
  }

  get isBeyondCare(): boolean {
    return this.#grave >= ENOUGH;
  }

  private image(file: string, need: Need): Image {
    const cached = this.cache.get(file);
    if (cached !== undefined) return cached;
    const format = formatOf(file);
    if (format === undefined) throw new Error(`no format of ${file} is known`);
    if (file !== "inventory.img") this.version ??= this.inventory()?.img_version ?? 2;
    const read = this.directory.read(file, (source): Framed =>
      readFrames(source, format, this.version, this.recent, (message, number) => {
        const key = `${message}.${number}`;
        if (this.strange.size < MOST_STRANGE && !this.strange.has(key))
          this.strange.set(key, { file, message, number });
      }),
    );
    let entries: readonly Entry[] = [];
    if (!read.ok) {
      if (read.fault.kind !== "missing") this.fault(read.fault);
      else if (need === "usual")
        this.fault({
          ...read.fault,
          kind: "absent",
          problem: "it is not there, and there are files that no other descriptor holds",
        });
      else if (need === "required")
        this.fault({
          ...read.fault,
          problem: "the restore needs it, and it is not there",
          criu_message: saysOfMissing(file, file.startsWith("ids-") ? this.rootPid : undefined),
        });
    } else if (!read.value.ok) this.fault(read.value.fault);
    else entries = read.value.entries;
    const image: Image = { format, entries, heads: undefined, values: undefined };
    this.cache.set(file, image);
    return image;
  }

  /** Images that need not be there are no faults where `nothingLost` says that nothing was in them. */
  forgetAbsent(nothingLost: () => boolean): void {
    const isAbsent = ({ kind }: Fault) => kind === "absent";
    if (!this.faults.some(isAbsent) || !nothingLost()) return;
    const others = this.faults.filter((fault) => !isAbsent(fault));
    this.faults.splice(0, Infinity, ...others);
  }

  private inventory() {
    return this.values("inventory.img", inventory_entry, "required")[0];
  }

  private get rootPid(): number | undefined {
    return this.values("pstree.img", pstree_entry, "required")[0]?.pid;
  }
}
