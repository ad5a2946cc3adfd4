/** Bytes of memory as hexdump(1) -C shows them, under their addresses. */
import { harmless } from "./terminal.ts";

const WIDTH = 16;

const hexadecimal = (address: number): string => address.toString(16).padStart(12, "0");

function hexdump(bytes: Uint8Array, address: number): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += WIDTH) {
    const row = bytes.subarray(at, at + WIDTH);
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, "0"));
    const half = `${hex.slice(0, 8).join(" ")}  ${hex.slice(8).join(" ")}`;
    const text = Array.from(row, (byte) =>
      byte > 31 && byte < 127 ? String.fromCharCode(byte) : ".",
    );
    lines.push(`${hexadecimal(address + at)}  ${half.padEnd(48)}  |${text.join("")}|`);
  }
  return lines;
}

/** Where something was found, and the bytes from there on, as far as they are known. */
export const placeText = (
  address: string,
  mapping: string | null,
  from: number,
  bytes: Uint8Array | null,
): string =>
  [
    `${address}  ${harmless(mapping ?? "in no mapping")}`,
    ...hexdump(bytes ?? new Uint8Array(), from),
  ].join("\n");

export const pieceText = (from: number, length: number, bytes: Uint8Array | null): string =>
  bytes === null
    ? `${hexadecimal(from)}  ${length} bytes are not in the images`
    : hexdump(bytes, from).join("\n");
