/** A checkpoint that was named: a directory, or an archive, which is unpacked until it is disposed of. */
import { isArchive, openArchive } from "../image/archive.ts";
import { containerOf, type ShownContainer } from "../show/container.ts";
import { exitCode } from "../report/outcome.ts";

type Found = Disposable &
  (
    | {
        readonly dir: string;
        readonly archived: boolean;
        readonly container: ShownContainer | null;
      }
    | { readonly exit: number; readonly problem: string }
  );

/** Where its images are. What is there is not looked at yet. */
export async function findImages(name: string): Promise<Found> {
  const nothing = { [Symbol.dispose]() {} };
  if (!isArchive(name)) return { dir: name, archived: false, container: null, ...nothing };
  const unpacked = await openArchive(name);
  if (!unpacked.ok) {
    const exit = unpacked.damaged ? exitCode.images : exitCode.usage;
    return { exit, problem: `${name}: ${unpacked.problem}`, ...nothing };
  }
  const { archive } = unpacked;
  return {
    dir: archive.dir,
    archived: true,
    container: containerOf(archive.texts, archive.changed),
    [Symbol.dispose]: () => archive.dispose(),
  };
}
