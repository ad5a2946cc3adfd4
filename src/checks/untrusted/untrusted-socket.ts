import type { Check } from "../finding.ts";
import { refusal } from "./refusal.ts";

export const untrustedSocket: Check = refusal({
  title: "An untrusted tree would stand in for a service of this machine, or talk to one as root",
  reads: "unix sockets in files.img; the owner of each socket: sock_diag(7), /proc/net/unix",
  why:
    "CRIU removes a socket's file and binds the tree's in its place, and connects sockets to others as root. Root's programs obey the process that has docker.sock, " +
    "systemd's or the message bus's socket, and those services obey a process that is connected to them as root.",
  remedy: "stop here unless the tree is that service; or --allow-write its directory",
});
