/** IP sockets in images: those of a Unix socket, made into an IP socket's, because not every CRIU can dump one on every kernel. */
import { startDumped } from "./stage/dumped.ts";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { image } from "../image/fixture.ts";
import { edit } from "./edit.ts";
import { type Stage } from "./stage.ts";

export const TCP = { type: 1, proto: 6, state: 10 };
export const UDP = { type: 2, proto: 17, state: 7 };
export const LOCALHOST = [0x0100007f];
/** 192.0.2.7, which no interface has (RFC 5737). */
export const NOBODYS = [0x070200c0];
const FD_INETSK = 4;
export const FD_PACKETSK = 10;
const INODE = 0xabcdef;

/** A port that is free now. */
export function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

/** Make the one Unix socket of the images into another socket. */
export function turn(
  images: string,
  type: number,
  field: string,
  make: (usk: any) => object,
): void {
  let id: number;
  edit(images, "files.img", (files) => {
    const file = files.find(({ usk }) => usk !== undefined);
    const { usk } = file;
    delete usk.opts.so_passcred;
    delete usk.opts.so_passsec;
    delete file.usk;
    id = file.id;
    Object.assign(file, { type, [field]: make(usk) });
  });
  const [fdinfo] = [...new Bun.Glob("fdinfo-*.img").scanSync(images)];
  edit(images, fdinfo!, (fds) => {
    fds.find((fd) => fd.id === id).type = type;
  });
}

/** Images of a task with one IP socket. */
export async function withSocket(stage: Stage, isk: Record<string, unknown>) {
  const name = join(stage.dir, `socket-${++stage.count}`);
  const { pid, images } = await startDumped(stage, "objects", ["dgram", name], {
    dump: ["--network-lock=nftables"],
  });
  rmSync(name);
  turn(images, FD_INETSK, "isk", ({ id, fown, opts, ns_id }) => ({
    id,
    fown,
    ns_id,
    ino: INODE,
    family: 2,
    flags: 2,
    backlog: 8,
    dst_port: 0,
    src_addr: LOCALHOST,
    dst_addr: [0],
    ...isk,
    opts: { ...opts, ...(isk["opts"] as object) },
  }));
  return { pid, images };
}

/** A connection to a port of this machine, as images have it. */
export async function withConnection(stage: Stage, isk: Record<string, unknown> = {}) {
  const ports = { src_port: freePort(), dst_port: freePort() };
  const connection = { ...TCP, state: 1, ...ports, dst_addr: LOCALHOST, ...isk };
  const made = await withSocket(stage, connection);
  const stream = {
    inq_len: 0,
    inq_seq: 7,
    outq_len: 0,
    outq_seq: 9,
    unsq_len: 0,
    opt_mask: 0,
    snd_wscale: 0,
    mss_clamp: 1460,
  };
  const file = join(made.images, `tcp-stream-${INODE.toString(16)}.img`);
  writeFileSync(file, image("tcp-stream-abcdef.img", [stream]));
  return { ...made, ...ports, file };
}
