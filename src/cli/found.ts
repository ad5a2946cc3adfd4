/** A checkpoint that was named: a directory, or an archive, which is unpacked until it is disposed of. */
import { isArchive, openArchive } from "../image/archive.ts";
import { type Checkpoint, openCheckpoint } from "../image/index.ts";
import { exitCode } from "../report/outcome.ts";

type Found = Disposable &
  (
    | { readonly checkpoint: Checkpoint; readonly dir: string; readonly archived: boolean }
    | { readonly exit: number; readonly problem: string }
  );

export async function findCheckpoint(name: string): Promise<Found> {
  const nothing = { [Symbol.dispose]() {} };
  if (!isArchive(name)) return { ...opened(name, name, false), ...nothing };
  const unpacked = await openArchive(name);
  if (!unpacked.ok) {
    const exit = unpacked.damaged ? exitCode.images : exitCode.usage;
    return { exit, problem: `${name}: ${unpacked.problem}`, ...nothing };
  }
  const { archive } = unpacked;
  return { ...opened(archive.dir, name, true), [Symbol.dispose]: () => archive.dispose() };
}

function opened(dir: string, name: string, archived: boolean) {
  const result = openCheckpoint(dir);
  if (!result.ok) return { exit: exitCode.usage, problem: `${name}: ${result.fault.problem}` };
  const { checkpoint } = result;
  if (checkpoint.root === undefined) {
    const [fault] = checkpoint.readEverything();
    return {
      exit: exitCode.images,
      problem: `${name}: ${fault?.file ?? "pstree.img"}: ${fault?.problem ?? "it has no task"}`,
    };
  }
  return { checkpoint, dir, archived };
}
