/** What a paste is read as, and what is printed of it. */
import { logReader, type LogReport } from "../../src/explain/log.ts";
import { printLogReport } from "../../src/report/log-report.ts";
import { captured } from "../../src/report/terminal.ts";

export function read(text: string): LogReport {
  const reader = logReader();
  reader.feed(Buffer.from(text));
  return reader.end();
}

export const told = (text: string): string =>
  captured(() => printLogReport(read(text), "-", { about: [], kept: undefined, memory: [] }));
