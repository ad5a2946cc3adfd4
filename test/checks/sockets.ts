/** Sockets and locks whose fault a test machine does not have: a made-up host, edited images. */
import type { InetSocket } from "../../src/host/sock-diag.ts";
import { fixture, image } from "../image/fixture.ts";

export const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };

const noTime = { so_snd_tmo_sec: 0n, so_snd_tmo_usec: 0n, so_rcv_tmo_sec: 0n, so_rcv_tmo_usec: 0n };

export const opts = { so_sndbuf: 0, so_rcvbuf: 0, ...noTime };

const LOCALHOST = new Uint8Array([127, 0, 0, 1]);

export function imagesWith(file: object, root: object = {}): Record<string, Uint8Array> {
  const ids = { vm_id: 1, files_id: 2, fs_id: 3, sighand_id: 4, pid_ns_id: 1, mnt_ns_id: 6 };
  return {
    ...fixture(),
    "ids-10.img": image("ids-10.img", [{ ...ids, net_ns_id: 2, ...root }]),
    "files.img": image("files.img", [{ id: 9, ...file }]),
  };
}

export const tcp = (isk: object = {}) => ({
  type: 4,
  isk: {
    id: 9,
    ino: 1,
    family: 2,
    type: 1,
    proto: 6,
    state: 10,
    src_port: 80,
    dst_port: 0,
    flags: 2,
    backlog: 8,
    src_addr: [0x0100007f],
    dst_addr: [0],
    fown,
    opts,
    ...isk,
  },
});

const listener: InetSocket = {
  family: 2,
  protocol: 6,
  state: 10,
  source: LOCALHOST,
  sourcePort: 80,
  destination: new Uint8Array(4),
  destinationPort: 0,
  device: 0,
  uid: 0,
  inode: 5,
  v6only: undefined,
};

export const host = (socket: Partial<InetSocket>, reuse?: { address: boolean; port: boolean }) => ({
  inetSockets: () => [{ ...listener, ...socket }],
  ownerOf: () => undefined,
  reuseOf: () => reuse,
  interfaces: undefined,
});
