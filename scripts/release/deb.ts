/** A .deb, deb(5). It has no maintainer scripts, so that nothing runs when it is installed. */
import { createHash } from "node:crypto";
import { ar, file, type Item, tar } from "./archives.ts";
import { gzipped } from "./gzip.ts";
import type { About } from "./about.ts";

export async function deb(about: About, arch: string, items: readonly Item[]): Promise<Buffer> {
  const { version, epoch } = about;
  const kilobytes = items.reduce((total, { data }) => total + Math.ceil(data.length / 1024), 0);
  const control = `Package: recriu
Version: ${version}
Architecture: ${arch}
Maintainer: ${about.vendor}
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.17)
Recommends: criu (>= 3.17)
Section: admin
Priority: optional
Description: ${about.summary}
${about.description.map((line) => ` ${line}`).join("\n")}
`;
  const md5sums = items
    .map(({ path, data }) => `${createHash("md5").update(data).digest("hex")}  ${path}\n`)
    .join("");
  const members = [
    file("debian-binary", "2.0\n"),
    file(
      "control.tar.gz",
      await gzipped(await tar([file("control", control), file("md5sums", md5sums)], epoch, "./")),
    ),
    file("data.tar.gz", await gzipped(await tar(items, epoch, "./"))),
  ];
  return ar(members, epoch);
}
