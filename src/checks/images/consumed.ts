/**
 * Pages images that a restore has consumed (--auto-dedup): what was read of them is holes. A hole alone proves nothing,
 * as pages of zeros become holes wherever a file is copied with them; so those pages are read that no program has zero.
 */
import { knows } from "../../criu/index.ts";
import { FILE_PRIVATE, VDSO } from "../../image/flags.ts";
import { type Content, registersOf, type Task } from "../../image/index.ts";
import type { Context, Problem } from "../finding.ts";
import { mib } from "../kernel/limits.ts";
import { livingTasks } from "../paths.ts";

/** Pages with a content that is known in part. */
interface Witness {
  what: string;
  /** All of these are zeros in an image that was consumed. */
  pages: number[];
  /** Without it no program works; else it only hardly does. */
  certain: boolean;
  criu: string | null;
}

/** At most one finding for each pages image. */
export function consumedPages(context: Context): Problem[] {
  const { checkpoint, request, pagesUnread, seal } = context;
  if (request.stream || pagesUnread || (seal?.ok && seal.leftOut.size > 0)) return [];
  const sparse = new Set(
    checkpoint
      .pages()
      .flatMap(({ file, pagemaps }) => (checkpoint.holes(file) > 0 ? pagemaps : [])),
  );
  const older = !knows(context.criu?.version, "vdsoWords", true);
  const vdsoError = `vdso: ${older ? "ELF header magic mismatch" : "Invalid ELF magic"}`;
  const found = new Map<string, Problem>();
  for (const task of livingTasks(checkpoint)) {
    const pagemap = `pagemap-${task.pid}.img`;
    if (!sparse.has(pagemap) && !checkpoint.files.has("parent")) continue;
    const contents = checkpoint.contents(pagemap, request.lazyPages);
    for (const witness of witnessesOf(task, contents, vdsoError, checkpoint.pageSize)) {
      const file = zeroIn(context, contents, witness);
      if (file === undefined) continue;
      const earlier = found.get(file);
      if (earlier === undefined || (earlier.severity === "warning" && witness.certain))
        found.set(file, findingOf(context, task, file, witness));
    }
  }
  return [...found.values()];
}

const isIn = (page: number, content: Content): boolean =>
  content.page <= page && page < content.page + content.pages;

function witnessesOf(
  { mm, threads }: Task,
  contents: readonly Content[],
  vdsoError: string,
  pageSize: number,
): Witness[] {
  const pageOf = (address: bigint): number => Math.floor(Number(address) / pageSize);
  const hardly = { certain: false, criu: null };
  const vdso = mm?.vmas.find(({ status }) => status & VDSO);
  const program = mm?.vmas.filter(
    ({ status, shmid }) => status & FILE_PRIVATE && Number(shmid) === mm.exe_file_id,
  );
  const changed = contents.find(({ page }) =>
    program?.some(({ start, end }) => pageOf(start) <= page && page < pageOf(end)),
  );
  const witnesses: Witness[] = threads.flatMap(({ tid, core }) => {
    const { stack = 0n, thread = 0n } = registersOf(core) ?? {};
    const block = [pageOf(thread - 8n), pageOf(thread)];
    return [
      {
        what: `where thread ${tid} keeps its own address (its thread pointer)`,
        pages: thread === 0n ? [] : [...new Set(block)],
        certain: true,
        criu: null,
      },
      { what: `the stack of thread ${tid}`, pages: [pageOf(stack)], ...hardly },
    ];
  });
  if (vdso !== undefined)
    witnesses.unshift({
      what: "the vdso, which begins as an ELF file",
      pages: [pageOf(vdso.start)],
      certain: true,
      criu: vdsoError,
    });
  if (changed !== undefined)
    witnesses.push({
      what: "what its program has changed of itself",
      pages: [changed.page],
      ...hardly,
    });
  return witnesses;
}

/** The pages image in which all of a witness is zeros. */
function zeroIn(
  { checkpoint: { pageSize }, host }: Context,
  contents: readonly Content[],
  { pages }: Witness,
): string | undefined {
  let file: string | undefined;
  for (const page of pages) {
    const content = contents.find((each) => isIn(page, each));
    // What is compressed cannot be looked at; CRIU takes nothing out of such images.
    if (content === undefined || content.packed) return undefined;
    const offset = content.offset + (page - content.page) * pageSize;
    const bytes = host.bytes(content.file, offset, pageSize);
    if (bytes?.length !== pageSize || bytes.some((byte) => byte !== 0)) return undefined;
    ({ file } = content);
  }
  return file;
}

function findingOf(
  { checkpoint }: Context,
  task: Task,
  path: string,
  { what, certain, criu }: Witness,
): Problem {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const holes = path === `${checkpoint.dir}/${name}` ? checkpoint.holes(name) : 0;
  const lost = holes === 0 ? "" : ` (${mib(holes)} of it are holes)`;
  const verb = certain ? "has" : "seems to have";
  return {
    severity: certain ? "blocker" : "warning",
    task: task.pid,
    image: name,
    subject: name,
    message: `${path} ${verb} lost memory that it held${lost}: of task ${task.pid} it has zeros for ${what}; a restore with --auto-dedup takes out what it reads`,
    criu_message: criu,
    remedy: {
      kind: "human",
      text: `copy ${name} again from where the checkpoint was made; what was taken out is in no other file`,
    },
  };
}
