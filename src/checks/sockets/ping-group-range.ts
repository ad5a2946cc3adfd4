import { filesWith, type InetSkEntry } from "../../image/index.ts";
import { netns_entry } from "../../image/tables/namespaces.ts";
import { SOCK_DGRAM } from "../../sys/linux.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem, Remedy } from "../finding.ts";
import { idsOfCriu } from "../rights/capabilities.ts";

/** No group at all, what a network namespace begins with: only groups of this range may make an ICMP socket without privilege (icmp(7)). */
export const NO_GROUP = "1 0";

const ICMP = 1;

const ICMPV6 = 58;

/** A socket of datagrams is one that needs no privilege. */
export const isPing = ({ type, proto }: InetSkEntry): boolean =>
  type === SOCK_DGRAM && (proto === ICMP || proto === ICMPV6);

const HERE = "this machine";
const RANGE = "/proc/sys/net/ipv4/ping_group_range";

/** The range of the namespace in which CRIU makes a socket, and how that is called; undefined where it cannot be seen. */
function rangeOf(
  { checkpoint, host, namespaces, request }: Context,
  nsId: number | undefined,
): { range: string; where: string; enter: string[] } | undefined {
  const seen = (range: string | undefined, where: string, enter: string[] = []) =>
    range === undefined ? undefined : { range, where, enter };
  const joined = request.joinNs.findLast(({ ns }) => ns === "net")?.target;
  if (joined !== undefined) {
    const path = /^\d+$/.test(joined) ? `/proc/${joined}/ns/net` : joined;
    return seen(host.readInNetwork(path, RANGE), `the namespace ${joined}`, [`--net=${path}`]);
  }
  if (!namespaces.created.net) return seen(host.read(RANGE), HERE);
  const [entry] = checkpoint.values(`netns-${nsId}.img`, netns_entry);
  if (entry?.ext_key === undefined) {
    const saved = request.emptyNs.includes("net") ? undefined : entry?.ipv4_sysctl[0]?.sarg;
    return seen(saved ?? NO_GROUP, "the tree's own network");
  }
  const inherited = request.inheritFds.find(({ key }) => key === entry.ext_key);
  const path = `/proc/self/fd/${inherited?.fd}`;
  return inherited && seen(host.readInNetwork(path, RANGE), `the namespace ${entry.ext_key}`);
}

export const pingGroupRange: Check = {
  title: "CRIU may not make an ICMP socket of the tree",
  reads:
    "ICMP sockets in files.img, ipv4_sysctl in netns-*.img; net.ipv4.ping_group_range of the network that they come back to; groups of recriu, which CRIU has",
  why:
    "An ICMP socket that needs no privilege may be made only by a member of the groups in net.ipv4.ping_group_range, also by root. systemd allows all of " +
    "them on the machine; a network namespace begins with none. CRIU makes the socket with its own groups, not with the task's.",
  proof: "criu",
  isolate: "net",
  run(context) {
    const { checkpoint, host, namespaces, request } = context;
    // In a user namespace the numbers are others.
    if (namespaces.created.user) return [];
    const { groups, extra } = idsOfCriu(host);
    const mappedGroups = [groups[1] ?? 0, ...extra];
    const told = new Set<string>();
    return filesWith(checkpoint, "isk").flatMap(({ isk }): Problem[] => {
      if (!isPing(isk)) return [];
      const found = rangeOf(context, isk.ns_id);
      const [low = Number.NaN, high = Number.NaN] = (found?.range.trim() ?? "")
        .split(/\s+/)
        .map(Number);
      if (found === undefined || Number.isNaN(low + high) || told.has(found.where)) return [];
      if (mappedGroups.some((group) => group >= low && group <= high)) return [];
      told.add(found.where);
      return [
        {
          severity: "blocker",
          image: `files.img id 0x${isk.id.toString(16)}`,
          subject: found.where,
          message: `the tree has an ICMP socket, and in ${found.where} only groups ${low} to ${high} may make one${low > high ? ", which is no group at all" : ""}`,
          criu_message: "inet: Can't create inet socket: Permission denied",
          isolate: found.where === HERE ? undefined : null,
          remedy: remedyFor(found, low, high, request.argv),
        },
      ];
    });
  },
};

function remedyFor(
  { where, enter }: { where: string; enter: string[] },
  low: number,
  high: number,
  argv: readonly string[],
): Remedy {
  const all = sh`sysctl -w net.ipv4.ping_group_range=${"0 2147483647"}`;
  if (where === HERE || enter.length > 0)
    return {
      kind: "human",
      text: "allow it to all groups there, as systemd does",
      command:
        enter.length === 0
          ? all
          : sh`nsenter ${enter} sysctl -w net.ipv4.ping_group_range=${"0 2147483647"}`,
    };
  return low <= high
    ? {
        kind: "human",
        text: "restore as a member of one of these groups",
        command: sh`setpriv --groups=${low} recriu restore ${argv}`,
      }
    : {
        kind: "human",
        text: "allow it in the namespace before the dump, or restore into one that does: --join-ns net:FILE",
      };
}
