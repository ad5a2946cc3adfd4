import { IFF_UP } from "../../sys/linux.ts";
import { net_device_entry } from "../../image/tables/namespaces.ts";
import type { Check, Problem } from "../finding.ts";
import { filledIds } from "./net.ts";

/** More edits than these are none that anybody reads. */
const MOST = 10_000;

export const routeLinkdown: Check = {
  title: "A saved route is marked as one of a link that was down",
  reads: "route-*.img, route6-*.img, flags in netdev-*.img",
  why:
    "`ip route save` writes the kernel's own marks with a route: `linkdown` where the link had no carrier, as of a veth pair whose far end is down or of a bridge " +
    "without ports, and `dead`. CRIU (restore_ip_dump) has `ip route restore` hand all of it back, and the kernel takes no IPv4 route so marked; IPv6 routes it takes. " +
    "CRIU is shown the route without the marks, which the kernel makes again where they are true. A way over a device that was down altogether it would refuse even so. " +
    "A tree that came back by --external veth[…] has such routes until somebody brings the far end up.",
  proof: "criu",
  answers: ["edit", "person"],
  run(context) {
    const { checkpoint } = context;
    return filledIds(context).flatMap((id) => {
      const devices = new Map(
        checkpoint
          .values(`netdev-${id}.img`, net_device_entry)
          .map((device) => [device.ifindex, device]),
      );
      return [`route-${id}.img`, `route6-${id}.img`].flatMap((image): Problem[] => {
        const marks = checkpoint.downMarks(image, MOST);
        const [first] = marks;
        if (first === undefined) return [];
        const deviceOf = ({ device }: typeof first) => devices.get(device ?? 0);
        const off = marks.map(deviceOf).find((device) => device && !(device.flags & IFF_UP));
        const routes = new Set(marks.map(({ entry }) => entry)).size;
        const more = routes > 1 ? ` (and ${routes - 1} more)` : "";
        const name = deviceOf(first)?.name;
        return [
          {
            severity: "blocker",
            image,
            subject: first.destination,
            message: `the route ${first.destination}${more} was saved with the mark that its link${name === undefined ? "" : `, ${name},`} was down, with which the kernel does not take it back`,
            criu_message: "IP tool failed on route restore",
            remedy:
              off === undefined && marks.length < MOST
                ? {
                    kind: "edit",
                    text: "leave the mark out: the kernel makes it again while the link is down",
                    edits: marks.map(({ entry, field, flags, rest }) => ({
                      file: image,
                      entry,
                      field,
                      from: flags,
                      to: rest,
                      why: "the kernel's own mark of a link that was down",
                    })),
                  }
                : {
                    kind: "human",
                    text: `dump again ${off === undefined ? "with the links up" : `with ${off.name} up`}, or without those routes`,
                  },
          },
        ];
      });
    });
  },
};
