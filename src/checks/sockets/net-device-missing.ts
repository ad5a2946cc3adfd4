import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import { isConnection } from "./inet-entries.ts";
import { about } from "./inet.ts";
import { inHostNet, socketFiles } from "./unix-entries.ts";

export const netDeviceMissing: Check = {
  title: "A network interface that a socket is bound to is not there",
  reads: "SO_BINDTODEVICE, scope and packet sockets in files.img; the interfaces of this machine",
  why: "A socket can be bound to an interface: by its name, or, a packet socket, by its number. CRIU stops when there is none of that name or number.",
  proof: "criu",
  isolate: "net",
  run(context) {
    return socketFiles(context.checkpoint).flatMap((file): Problem[] => {
      const { isk, psk, nlsk, usk } = file;
      const image = `files.img id 0x${file.id.toString(16)}`;
      const finding = (name: string, criu_message: string): Problem => ({
        ...about("blocker", image, name),
        message: `a socket is bound to the network interface ${name}, which this machine does not have`,
        criu_message,
        remedy: {
          kind: "human",
          text: "make or rename an interface; a pair of these every kernel has that has containers",
          command: /^\d+$/.test(name)
            ? sh`ip link add index ${name} type veth`
            : sh`ip link add ${[name]} type veth`,
        },
      });
      const entry = isk ?? psk ?? nlsk ?? usk;
      if (entry === undefined || !inHostNet(context, entry.ns_id)) return [];
      const { interfaces } = context.host;
      if (interfaces === undefined) return [];
      const scoped = isk !== undefined && isk.src_port !== 0 && !isConnection(isk);
      if (scoped && isk.ifname !== undefined && !interfaces.has(isk.ifname))
        return [finding(isk.ifname, `inet: couldn't find ifindex for ${isk.ifname}`)];
      if (psk !== undefined && psk.ifindex > 0 && ![...interfaces.values()].includes(psk.ifindex))
        return [finding(String(psk.ifindex), "packet: Can't bind packet socket: No such device")];
      const device = entry.opts.so_bound_dev;
      if (device === undefined || interfaces.has(device)) return [];
      return [finding(device, `sockets: Can't set 1:25 (len ${device.length}): No such device`)];
    });
  },
};
