/** Network devices that CRIU makes anew in a network namespace of the tree's own (net.c). */
import type { Infer } from "../../image/index.ts";
import { net_device_entry, userns_entry } from "../../image/tables/namespaces.ts";
import { sh } from "../../sys/shell.ts";
import { again } from "../again.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { lookOnHost } from "../mounts/mount-sources.ts";
import { older } from "../kernel/release.ts";
import { filledIds } from "./net.ts";
import { constants, type Stats } from "node:fs";

type Device = Infer<typeof net_device_entry>;

/** nd_type of netdev-*.img. */
export const VETH = 2;

const TUN = 3;

export const MACVLAN = 7;

export const netLink: Check = {
  title: "A network device of the tree cannot be made as it was",
  reads:
    "netdev-*.img; --external veth[…], netdev[…] and macvlan[…], --veth-pair, the interfaces of this machine; /dev/net/tun, the maps in userns-*.img",
  why:
    "The far end of a veth pair and the parent of a macvlan are outside of the tree's network namespace: options name them, and the name of the far end must be " +
    "free on this machine. Of a veth pair whose far end nobody names CRIU makes both ends in the tree: where that takes the number of the saved device it fails, " +
    "elsewhere the tree comes back with a network that leads nowhere. In a user namespace CRIU may put no end outside, and opens /dev/net/tun as the root of that namespace.",
  proof: "criu",
  answers: ["choice", "person"],
  waits: true,
  run: (context) =>
    filledIds(context)
      .values()
      .flatMap((id) => linksOf(context, `netdev-${id}.img`)),
};

function linksOf(context: Context, image: string): IteratorObject<Problem> {
  const { checkpoint, host, namespaces, request } = context;
  const devices = checkpoint.values(image, net_device_entry);
  const names = freeNames(context);
  const stray = straysOf(context, devices);
  return devices.values().flatMap((device): Problem[] => {
    const { type, name } = device;
    const valueOf = (kind: string) =>
      request.external.find((external) => external.kind === kind && external.key === name)?.value;
    const shared = {
      severity: "blocker",
      image,
      subject: name,
    } as const;
    if (type === MACVLAN && valueOf("macvlan") === undefined)
      return [
        {
          ...shared,
          message: `the macvlan ${name} has no parent device on this machine`,
          criu_message: `a macvlan parent for ${name} is required`,
          remedy: {
            kind: "option",
            text: "name the device that is to be its parent (ip -brief link lists them)",
            option: `--external macvlan[${name}]:DEVICE`,
            automatic: false,
          },
        },
      ];
    if (type === TUN) return tunOf(context, shared);
    if (type !== VETH) return [];
    const moved = valueOf("netdev");
    if (moved !== undefined)
      return host.interfaces?.has(moved) !== false
        ? []
        : [
            {
              ...shared,
              message: `${name} is to be made of the device ${moved}, which this machine does not have`,
              criu_message: "Can't restore link: -1",
              remedy: {
                kind: "human",
                text: "make that device before the restore",
                command: sh`ip link add ${names()} type veth peer name ${[moved]}`,
              },
            },
          ];
    const far = valueOf("veth");
    const told: Problem[] = [];
    // Which kernels ask for rights over the far end's network only their updates tell: 6.18.44 was seen to, 6.1.176 and 7.2.13 not to.
    const mayPass = older(context, 6, 18) || !older(context, 7, 0);
    if (namespaces.created.user && (far !== undefined || (!mayPass && stray.has(device)))) {
      const [outer, inner] = [far?.split("@")[0] ?? names(), names()];
      const severity = mayPass ? "warning" : "blocker";
      told.push({
        ...shared,
        severity,
        message: `CRIU makes ${name} with the rights of the tree's user namespace, and ${mayPass ? "where the kernel asks for more " : ""}may put no far end outside of that`,
        criu_message: "Can't restore link: -1",
        remedy: {
          kind: "human",
          text: "make the pair before, and have one end moved into the tree",
          command: sh`ip link add ${[outer]} type veth peer name ${inner} && recriu restore ${again(context)} --external ${[`netdev[${name}]:${inner}`]}`,
        },
      });
      if (!mayPass) return told;
    }
    if (far === undefined) {
      const fails = stray.get(device);
      if (fails === undefined) return [];
      return [
        {
          ...shared,
          severity: fails ? "blocker" : "warning",
          message: `the far end of ${name} was outside of the tree, and no option says what it is to be here${fails ? "" : ": both ends would come back inside, with nothing behind them"}`,
          criu_message: "Unknown peer net namespace",
          remedy: {
            kind: "option",
            text: "give the far end a name; it comes back down and without addresses: join it to what it was joined to (…@BRIDGE does that, too)",
            option: `--external veth[${name}]:${names()}`,
            automatic: false,
          },
        },
      ];
    }
    const [outside, bridge] = far.split("@") as [string, string?];
    if (bridge !== undefined && !host.isBridge(bridge))
      return [
        ...told,
        {
          ...shared,
          message: `the far end of ${name} is to be joined to ${bridge}, and this machine has no bridge of that name`,
          criu_message: `Can't add interface ${outside} to bridge ${bridge}: `,
          remedy: {
            kind: "human",
            text: "make the bridge, or leave it out of the option",
            command: sh`ip link add ${[bridge]} type bridge`,
          },
        },
      ];
    if (host.interfaces?.has(outside) !== true) return told;
    return [
      ...told,
      {
        ...shared,
        message: `the far end of ${name} is to be ${outside}, and this machine has a device of that name`,
        criu_message: "Can't restore link: ",
        remedy: {
          kind: "human",
          text: "the kernel takes a pair apart a moment after its tree's end (--wait=SECONDS waits for that); remove it if it is a leftover, or give the far end another name by --external veth[DEVICE]:NAME",
          command: sh`ip link delete dev ${[outside]}`,
        },
      },
    ];
  });
}

const TUN_DEVICE = "/dev/net/tun";

/** CRIU makes a TUN or TAP device by this machine's /dev/net/tun, with the rights of the tree's user namespace if it has one. */
function tunOf(
  context: Context,
  shared: Pick<Problem, "severity" | "image" | "subject">,
): Problem[] {
  const { host } = context;
  const found = lookOnHost(context, TUN_DEVICE);
  if (found === undefined) return [];
  const refused = !found.ok
    ? found.problem
    : host.access(TUN_DEVICE, constants.R_OK | constants.W_OK) < 0 || !mayUse(context, found.stat)
      ? "Permission denied"
      : undefined;
  if (refused === undefined) return [];
  return [
    {
      ...shared,
      message: `${shared.subject} is a TUN or TAP device, and CRIU cannot open ${TUN_DEVICE} to make it: ${refused}`,
      criu_message: `tun: Can't open tun device: ${refused}`,
      remedy: {
        kind: "human",
        text: found.ok
          ? "let other users open it, as udev does; a process that makes a device needs CAP_NET_ADMIN in its network all the same"
          : "make it, or load its module",
        command: found.ok
          ? sh`chmod 0666 ${TUN_DEVICE}`
          : sh`mkdir -p /dev/net && mknod -m 0666 ${TUN_DEVICE} c 10 200`,
      },
    },
  ];
}

/** Whether the root of the tree's user namespace may read and write a file of this machine. */
function mayUse({ checkpoint, namespaces }: Context, { mode, uid, gid }: Stats): boolean {
  if (!namespaces.created.user) return true;
  const image = `userns-${checkpoint.root?.ids?.user_ns_id}.img`;
  const [maps] = checkpoint.values(image, userns_entry);
  const outside = (map: "uid_map" | "gid_map") => {
    const zero = maps?.[map].find(({ first }) => first === 0);
    return zero?.lower_first;
  };
  const shift = uid === outside("uid_map") ? 6 : gid === outside("gid_map") ? 3 : 0;
  return ((mode >> shift) & 6) === 6;
}

/** Names for devices that this machine has none of, one after the other. */
function freeNames({ host }: Context): () => string {
  let next = 0;
  return () => {
    while (host.interfaces?.has(`veth${next}`) === true) next += 1;
    return `veth${next++}`;
  };
}

/**
 * The veth devices whose far end is in no namespace of the tree and named by no option; true where CRIU fails for it. It
 * asks for a pair of which one has the saved number, and the kernel gives the other one, first, the lowest that is free.
 */
function straysOf(
  { checkpoint, request }: Context,
  devices: readonly Device[],
): Map<Device, boolean> {
  const strays = new Map<Device, boolean>();
  const taken = new Set<number>();
  const named = (name: string) =>
    request.external.some(
      ({ kind, key }) => (kind === "veth" || kind === "netdev") && key === name,
    );
  for (const device of devices) {
    const { type, name, ifindex, peer_nsid: peer } = device;
    const inside = peer !== undefined && checkpoint.files.has(`netns-${peer}.img`);
    if (type === VETH && !inside && !named(name)) {
      let far = 1;
      while (taken.has(far)) far += 1;
      strays.set(device, far === ifindex);
      taken.add(far);
    }
    taken.add(ifindex);
  }
  return strays;
}
