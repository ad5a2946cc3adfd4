/** A line in the runtime's own log, as its callers (Podman, containerd) read it there: logrus, text or JSON. */
import { appendToOwnFile } from "../sys/own-file.ts";

export function logError(log: { path: string; json: boolean }, message: string): void {
  const time = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const line = log.json
    ? JSON.stringify({ level: "error", msg: message, time })
    : `time="${time}" level=error msg=${JSON.stringify(message)}`;
  appendToOwnFile(log.path, `${line}\n`, 0o644); // where it cannot be, stderr has to do
}
