/** A seal reads all pages: as fast as sha256sum(1), and in as much memory whatever their size. The pages image is a hole, which no disk slows down. */
import { rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { openStage, recriuBinary } from "../../test/restore/stage.ts";
import { many } from "./cases.ts";
import { timed, type Took } from "./measure.ts";

export interface SealedRow {
  gib: number;
  seal: Took;
  sha256sum: Took;
}

const SIZES = [5, 20];

export async function measureSealed(): Promise<SealedRow[]> {
  await using stage = openStage();
  const { images } = await many(1, 0, 0, 0)(stage);
  const pages = join(images, "pages-1.img");
  const rows: SealedRow[] = [];
  for (const gib of SIZES) {
    truncateSync(pages, gib * 2 ** 30);
    const seal = await timed(stage, [recriuBinary, "seal", images], true);
    const sha256sum = await timed(stage, ["/usr/bin/sha256sum", pages]);
    rows.push({ gib, seal, sha256sum });
    rmSync(join(images, "recriu.manifest"));
  }
  return rows;
}
