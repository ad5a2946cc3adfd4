import { files, noOne, refused } from "./untrusted.ts";
import { expect, test } from "bun:test";

const opts = {
  so_sndbuf: 0,
  so_rcvbuf: 0,
  so_snd_tmo_sec: 0n,
  so_snd_tmo_usec: 0n,
  so_rcv_tmo_sec: 0n,
  so_rcv_tmo_usec: 0n,
  so_filter: [],
};

test("untrusted-network: packet sockets and tun devices of this machine's namespace", () => {
  const psk = {
    id: 3,
    type: 3,
    protocol: 3,
    flags: 2,
    ifindex: 0,
    fown: noOne,
    opts,
    version: 0,
    reserve: 0,
    aux_data: false,
    orig_dev: false,
    vnet_hdr: false,
    loss: false,
    timestamp: 0,
    copy_thresh: 0,
    mclist: [],
  };
  const tunf = { id: 4, netdev: "tun7" };
  expect(refused(files({ type: 10, id: 3, psk }, { type: 11, id: 4, tunf }))).toEqual([
    ["untrusted-network", "every device"],
    ["untrusted-network", "tun7"],
  ]);
  expect(refused(files({ type: 10, id: 3, psk: { ...psk, ns_id: 9 } }))).toEqual([]);
});
