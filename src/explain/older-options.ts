/** What a remedy asks for by an option that an old CRIU has under another name. */
import { compareVersions } from "../criu/version.ts";
import type { Explanation } from "./index.ts";
import { isBare, type Place } from "./rank.ts";

/** The first CRIU whose --external takes mounts, devices of networks and sockets. */
const EXTERNAL = "2.8";

const olderNames: readonly [asked: RegExp, older: string][] = [
  [
    /--external '?mnt\[/,
    "--ext-mount-map KEY:PATH at dump and restore (from 1.6 on also --ext-mount-map auto, at both)",
  ],
  [/--external '?veth\[/, "--veth-pair IN=OUT"],
  [/--external '?unix\[/, "--ext-unix-sk"],
];

/** Of a CRIU that is so old by its version, or by the names of its sources, the options that it has. */
export function inOlderOptions(known: Explanation, { version, file }: Place): Explanation {
  const isOld = version === undefined ? isBare(file) : compareVersions(version, EXTERNAL) < 0;
  const names = isOld ? olderNames.filter(([asked]) => asked.test(known.remedy)) : [];
  if (names.length === 0) return known;
  const older = names.map(([, name]) => name).join("; ");
  return { ...known, remedy: `${known.remedy}; in CRIU before ${EXTERNAL}, as this one: ${older}` };
}
