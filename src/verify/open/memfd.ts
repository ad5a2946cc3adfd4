/** Memory files (memfd_create(2)): name, size, mode, owner, seals, position, and which are one file. */
import { fstatSync } from "node:fs";
import { memfd_inode_entry } from "../../image/tables/files.ts";
import { seals } from "../../sys/open-files.ts";
import { ownUsers } from "../facet.ts";
import type { Compare } from "./file.ts";

const octal = (mode: number): string => `0${(mode & 0o7777).toString(8)}`;

export const memfd: Compare<"memfd"> = ({ inode_id, pos }, file) => {
  const { checkpoint, live } = file.subject;
  const inode = checkpoint
    .values("memfd.img", memfd_inode_entry)
    .find((each) => Number(each.inode_id) === inode_id);
  if (inode === undefined) return file.leftOut("memory files that memfd.img does not have");
  const name = /^\/memfd:(.*?)(?: \(deleted\))?$/s.exec(file.proc.link(`fd/${file.fd}`) ?? "")?.[1];
  file.same("name of the memory file", inode.name, name);
  if (live.stopped) file.same("position", pos, file.field("pos"));
  else file.leftOut("positions, as the tree runs");
  file.through((copy) => {
    file.same("seals of the memory file", inode.seals, seals(copy));
    const { uid, gid, size, mode } = fstatSync(copy);
    file.same("size of the memory file", inode.size, size);
    if (inode.mode !== undefined)
      file.same("mode of the memory file", octal(inode.mode), octal(mode));
    if (ownUsers(checkpoint))
      file.same("owner of the memory file", `${inode.uid}:${inode.gid}`, `${uid}:${gid}`);
    else file.leftOut("ids in another user namespace");
  });
};
