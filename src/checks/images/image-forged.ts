/** Images that no dump made. */
import type { Check, Problem } from "../finding.ts";
import { forgedBlocks } from "../forged/blocks.ts";
import { forgedRelations } from "../forged/relations.ts";
import { type Forged, forgedValues } from "../forged/walk.ts";

/** Images with one forged value can have a million: so many are told. */
const ENOUGH = 20;

export const imageForged: Check = {
  title: "An image holds a value that no dump writes",
  reads:
    "every name, flag, mode and number in the images that CRIU acts on, against what the kernel and CRIU can have put there",
  why:
    "CRIU is root and believes the images: a name with .. in it has it write outside of a cgroup, O_TRUNC in a file's flags empties that " +
    "file, and all of that before any task exists, out of a container too. A dump writes what the kernel told, and the kernel tells no such " +
    "values: somebody else wrote them. Do not restore it; find out who had the images in hand.",
  proof: "harm",
  run({ checkpoint }) {
    const values = forgedValues(checkpoint, ENOUGH);
    const others = [forgedRelations, forgedBlocks].flatMap((source) => [
      ...source(checkpoint).take(ENOUGH),
    ]);
    return [...values, ...others].slice(0, ENOUGH).map(told);
  },
};

function told({ file, id, field, value, rule }: Forged): Problem {
  return {
    severity: "blocker",
    image: id === undefined ? file : `${file} id 0x${id.toString(16)}`,
    subject: field,
    message: `${field} is ${shown(field, value)}: no dump writes that, it writes ${rule.written}; CRIU ${rule.acts}`,
    remedy: {
      kind: "human",
      text: "do not restore it: these images were made or changed by hand; --ignore=image-forged lets CRIU do it all the same",
    },
  };
}

/** Modes and flags as open(2) and chmod(1) write them; of long names the begin. */
function shown(field: string, value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString("latin1"));
  if (typeof value === "number" && /(flags|mode)$/.test(field)) return `0${value.toString(8)}`;
  const text = String(value);
  return typeof value !== "string"
    ? text
    : JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
