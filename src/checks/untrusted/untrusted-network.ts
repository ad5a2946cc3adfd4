import type { Check } from "../finding.ts";
import { refusal } from "./refusal.ts";

export const untrustedNetwork: Check = refusal({
  proof: "images",
  title: "An untrusted tree would hold this machine's network",
  reads: "inet, packet and tun entries in files.img, netdev-*.img; --external, --veth-pair",
  why: "A packet or raw socket in this machine's network namespace reads and forges what all its programs send; a tun or veth device is one more way into its network.",
  remedy:
    "restore it in a network namespace of its own; --external veth[NAME]:NAME says that a device is meant",
});
