import { file_entry } from "../../image/tables/files.ts";
import { AF_INET6 } from "../../sys/linux.ts";
import type { Check, Context, Edit, Problem } from "../finding.ts";
import { bytesOf, hostSockets, same, textOf } from "./inet-entries.ts";
import { about } from "./inet.ts";
import { outsiders, type Replacement, unbindable, withoutAddress } from "./replacements.ts";
import { inHostNet } from "./unix-entries.ts";

const FILES = "files.img";

export const addressReplaced: Check = {
  title: "An address of the tree's sockets is another one here",
  reads: "IP sockets in files.img; --replace-ip; the addresses of this machine",
  why:
    "On another machine, or after its address has changed, the kernel does not bind a socket to the old one. recriu shows CRIU the sockets with the new one: " +
    "those that listen, those of datagrams, and both ends of connections within the tree. By itself it does so where this machine has exactly one address of the " +
    "same family and kind (private, public …), and the tree has no connection from the old one to others: such a one cannot follow, as its other end knows only " +
    "the old address.",
  proof: "criu",
  answers: ["edit"],
  run: (context) => context.replaced.map((replacement) => problemOf(context, replacement)),
};

function problemOf(context: Context, replacement: Replacement): Problem {
  const [from, to] = [textOf(replacement.from), textOf(replacement.to)];
  const edits = editsOf(context, replacement);
  const lost = outsiders(hostSockets(context)).filter(({ source }) => same(source, replacement.to));
  const by = replacement.chosen
    ? `this machine does not have the address ${from}, and of its kind only ${to}`
    : `the address ${from} is to be ${to} here`;
  const severity = replacement.chosen
    ? "blocker"
    : lost.length > 0 || edits.length === 0
      ? "warning"
      : "info";
  const first = withoutAddress({ ...context, replaced: [] }).find(({ source }) =>
    same(source, replacement.from),
  );
  return {
    ...about(severity, FILES, from),
    message: `${by}${edits.length === 0 ? ", and no socket of the tree has it" : lost.length === 0 ? "" : `: ${lost.length} of the tree's connections are to others and cannot follow`}`,
    criu_message: first === undefined ? null : unbindable(first),
    remedy: { kind: "edit", text: `bring its sockets back at ${to}`, edits },
  };
}

function editsOf(context: Context, { from, to }: Replacement): Edit[] {
  return context.checkpoint.values(FILES, file_entry).flatMap(({ isk }, entry): Edit[] => {
    if (isk === undefined || !inHostNet(context, isk.ns_id)) return [];
    return (["src_addr", "dst_addr"] as const).flatMap((field) => {
      const saved = bytesOf(isk.family, isk[field]);
      if (saved === undefined || !same(saved, from)) return [];
      const first = isk.family === AF_INET6 && to.length === 4 ? 3 : 0;
      return Array.from({ length: to.length / 4 }, (_, word): Edit => ({
        file: FILES,
        entry,
        field: `isk.${field}.${first + word}`,
        from: String(isk[field][first + word]),
        to: Buffer.from(to).readUInt32LE(word * 4),
        why: `${textOf(from)} is ${textOf(to)} here`,
      })).filter((edit) => edit.from !== String(edit.to));
    });
  });
}
