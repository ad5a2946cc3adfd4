import { isArchive } from "../image/archive.ts";
import { type Checkpoint, leftOutIn, openCheckpoint, type Task } from "../image/index.ts";
import type { MemoryDocument } from "../report/documents.ts";
import { pieceText, placeText } from "../report/memory.ts";
import { exitCode } from "../report/outcome.ts";
import { printMappings } from "../report/show.ts";
import { joined, refused, said, type Told } from "../report/told.ts";
import { shownMappings } from "../show/mappings.ts";
import { piecesAt } from "../show/pieces.ts";
import { search } from "../show/search.ts";
import { parseStrictly } from "./arguments.ts";
import type { Command } from "./command.ts";

const args = {
  checkpoint: { type: "positional", required: false, description: "the checkpoint's directory" },
  "images-dir": {
    type: "string",
    alias: "D",
    valueHint: "DIR",
    description: "the checkpoint, named as CRIU does it (default: the working directory)",
  },
  pid: {
    type: "string",
    valueHint: "N",
    description: "the task, by its number in the images (default: the root task)",
  },
  search: {
    type: "string",
    valueHint: "TEXT|0xHEX",
    description: "find these bytes; the lines that are shown may hold secrets",
  },
  dump: {
    type: "string",
    valueHint: "ADDRESS:LENGTH",
    description: "show so many bytes from an address, which is hexadecimal",
  },
  json: { type: "boolean", description: "print one JSON document on stdout" },
} as const;

/** Places that are shown of a search, and bytes of a dump. */
const MOST_FOUND = 1000;
const MOST_BYTES = 16 << 20;

type Values = Readonly<Record<string, string | boolean | undefined>>;

export const command: Command = {
  meta: {
    name: "memory",
    description:
      "Show a task's memory in the images: its mappings, bytes at an address, or where bytes are.",
  },
  args,
  async run({ rawArgs }): Promise<Told> {
    const parsed = parseStrictly("memory", args, rawArgs);
    if (!parsed.ok) return parsed.told;
    const { values, operands } = parsed;
    const dir = operands[0] ?? String(values["images-dir"] ?? ".");
    if (isArchive(dir))
      return wrong(
        `${dir} is an archive, whose memory is not read: unpack it, and name the directory`,
      );
    const leftOut = leftOutIn(dir);
    if (leftOut.size > 0 && (values["search"] ?? values["dump"]) !== undefined)
      return refused(
        "memory",
        exitCode.blocked,
        `${dir} is of a pack that the memory was left out of: what was in it is in the checkpoint itself`,
      );
    const opened = openCheckpoint(dir, leftOut);
    if (!opened.ok) return wrong(`${opened.fault.file}: ${opened.fault.problem}`);
    const { checkpoint } = opened;
    const pid = values["pid"] ?? checkpoint.root?.pid;
    const task = checkpoint.tasks.find((each) => String(each.pid) === String(pid));
    if (task === undefined)
      return wrong(
        pid === undefined
          ? `${dir} has no task`
          : `${dir} has no task ${pid}; recriu show lists those that it has`,
      );
    if (values["search"] !== undefined) return searched(checkpoint, task, values);
    if (values["dump"] !== undefined) return dumped(checkpoint, task, values);
    const mappings = shownMappings(checkpoint, task);
    if (values["json"] === true)
      return { exit: exitCode.ok, json: { pid: task.pid, mappings } satisfies MemoryDocument };
    printMappings(mappings);
    return { exit: exitCode.ok };
  },
};

const wrong = (problem: string): Told => refused("memory", exitCode.usage, problem);

function searched(checkpoint: Checkpoint, task: Task, values: Values): Told {
  const text = String(values["search"]);
  const hex = /^0x((?:[0-9a-fA-F]{2})+)$/.exec(text)?.[1];
  const wanted = hex === undefined ? Buffer.from(text) : Buffer.from(hex, "hex");
  if (wanted.length === 0) return wrong("--search takes a text, or bytes as 0xHEX; it is empty");
  const {
    found,
    count,
    searched: bytes,
    unread,
  } = search(checkpoint, task.pid, wanted, MOST_FOUND);
  const mappings = shownMappings(checkpoint, task);
  const places = found.map((address) => ({
    address: `0x${address.toString(16)}`,
    mapping:
      mappings.find(({ from, bytes: length }) => from <= address && address < from + length)
        ?.what ?? null,
  }));
  // As grep(1) does: found or not.
  const exit = count > 0 ? exitCode.ok : exitCode.criuFailed;
  if (values["json"] === true)
    return {
      exit,
      json: { pid: task.pid, count, places, searched: bytes, unread } satisfies MemoryDocument,
    };
  const rows = places.map(({ address, mapping }, index) => {
    const around = found[index]! - (found[index]! % 16);
    const [piece] = piecesAt(checkpoint, task.pid, around, 32);
    return placeText(address, mapping, around, piece?.bytes ?? null);
  });
  const times = count === 1 ? "once" : `${count} times`;
  const more = count > found.length ? said`, of which the first ${found.length} are shown` : said``;
  const lost = unread === 0 ? said`` : said`; ${unread} bytes could not be read`;
  return {
    exit,
    ...(rows.length > 0 && { text: rows.join("\n") }),
    lines: [joined(said`found ${times} in ${bytes} bytes of task ${task.pid}`, more, lost)],
  };
}

function dumped(checkpoint: Checkpoint, task: Task, values: Values): Told {
  const asked = /^(?:0x)?([0-9a-fA-F]{1,16}):(0x[0-9a-fA-F]+|\d+)$/.exec(String(values["dump"]));
  const [address, length] = [Number.parseInt(asked?.[1] ?? "", 16), Number(asked?.[2])];
  if (!Number.isSafeInteger(address) || !Number.isSafeInteger(length) || length < 1)
    return wrong(`--dump takes ADDRESS:LENGTH, not ${values["dump"]}`);
  if (length > MOST_BYTES) return wrong(`--dump shows ${MOST_BYTES} bytes at the most`);
  const pieces = piecesAt(checkpoint, task.pid, address, length);
  const missing = pieces.reduce((sum, piece) => sum + (piece.bytes === null ? piece.length : 0), 0);
  const exit = missing === length ? exitCode.criuFailed : exitCode.ok;
  if (values["json"] === true) {
    const shown = pieces.map(({ from, length: size, bytes }) => ({
      address: `0x${from.toString(16)}`,
      length: size,
      base64: bytes?.toString("base64") ?? null,
    }));
    return { exit, json: { pid: task.pid, pieces: shown } satisfies MemoryDocument };
  }
  const rows = pieces.map(({ from, length: size, bytes }) => pieceText(from, size, bytes));
  const why = said`what is not in the images was zeros, or as it is in the mapped file`;
  return { exit, text: rows.join("\n"), ...(missing > 0 && { lines: [why] }) };
}
