/** Terminals: those of outside, and numbers that cannot be had. */
import { descendants } from "../stage.ts";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** On a terminal of its own, which is the controlling one of its session. */
export const onTerminal = (command: string) => [
  "script",
  "-qec",
  `${command} 2>/dev/null`,
  "/dev/null",
];

export const named = (root: number, comm: string): number =>
  descendants(root).find(({ pid }) => readFileSync(`/proc/${pid}/comm`, "utf8").trim() === comm)!
    .pid;

/** Numbers of the pseudoterminals that a task has open. */
export const indices = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    const found = /^\/dev\/pts\/(\d+)/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`));
    return found === null ? [] : [Number(found[1])];
  });
