/** Network namespaces that CRIU fills anew (net.c). */
import { netns_entry } from "../image/tables/namespaces.ts";
import { again } from "./again.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { netSysctls } from "./net-sysctls.ts";
import { sh } from "../sys/shell.ts";

/** NETWORK_LOCK_IPTABLES, which images before 3.17 mean without saying so. */
const LOCK_IPTABLES = 0;

/** Ids of the tree's new network namespaces that CRIU fills: none with --empty-ns net. */
function namespaceIds({ checkpoint, namespaces, request }: Context): number[] {
  if (!namespaces.own.net || request.emptyNs.includes("net")) return [];
  const ids = new Set(checkpoint.tasks.map((task) => task.ids?.net_ns_id));
  return [...ids].filter((id) => id !== undefined);
}

/** Those that are not handed in from outside. */
export const filledIds = (context: Context): number[] =>
  namespaceIds(context).filter(
    (id) => context.checkpoint.values(`netns-${id}.img`, netns_entry)[0]?.ext_key === undefined,
  );

export const netToolsMissing: Check = {
  id: "net-tools-missing",
  title: "A program that CRIU sets the network up with is not installed",
  reads:
    "which of ifaddr, route, rule, iptables and ip6tables images there are, network_lock_method in inventory.img; programs in PATH, CR_IP_TOOL",
  why:
    "CRIU gives addresses, routes and rules back with `ip`, and packet filters with `iptables-restore`. It starts them by name, and stops " +
    "where one is not there.",
  proof: "criu",
  run(context) {
    const { checkpoint, host, namespaces, request } = context;
    const findings: Finding[] = [];
    if (!namespaces.own.net) return findings;
    const missing = (image: string, program: string, said: string, install: string) =>
      findings.push({
        id: "net-tools-missing",
        severity: "blocker",
        task: null,
        image,
        subject: program,
        message: `${program} is not there, and CRIU needs it for ${image}`,
        criu_message: said,
        remedy: { kind: "human", text: `install it`, command: sh`apt-get install ${install}` },
      });
    const tool = host.variable("CR_IP_TOOL") ?? "ip";
    const ip =
      host.program(tool) === undefined &&
      filledIds(context).flatMap((id) =>
        ["ifaddr", "route", "route6", "rule"]
          .map((name) => ({
            name: name.replace("ifaddr", "addr").replace("6", ""),
            file: `${name}-${id}.img`,
          }))
          .filter(({ file }) => checkpoint.files.has(file)),
      )[0];
    if (ip) missing(ip.file, tool, `net: IP tool failed on ${ip.name} restore`, "iproute2");
    for (const version of ["", "6"]) {
      const programs = [`ip${version}tables-restore`, `ip${version}tables-legacy-restore`];
      if (programs.some((program) => host.program(program) !== undefined)) continue;
      if (host.variable(version === "" ? "CR_IPTABLES" : "CR_IP6TABLES") !== undefined) continue;
      const image = filledIds(context)
        .map((id) => `ip${version}tables-${id}.img`)
        .find((file) => checkpoint.files.has(file));
      if (image !== undefined) {
        missing(
          image,
          programs[0]!,
          `Can't restore ip${version}tables dump - no legacy version present`,
          "iptables",
        );
      } else if (
        version === "" &&
        namespaces.own.net &&
        request.emptyNs.includes("net") &&
        (checkpoint.inventory?.network_lock_method ?? LOCK_IPTABLES) === LOCK_IPTABLES
      ) {
        missing(
          "inventory.img",
          programs[0]!,
          "net: Locking network failed: iptables-restore returned",
          "iptables",
        );
      }
    }
    return findings;
  },
};

export const externalNetns: Check = {
  id: "external-netns",
  title: "A network namespace from outside is not handed to CRIU",
  reads: "ext_key in netns-*.img; --inherit-fd",
  why: "The tree's network namespace was dumped as an external one, under a name. The restore has to be given one under that name, as an open descriptor.",
  proof: "criu",
  run: (context) =>
    namespaceIds(context).flatMap((id): Finding[] => {
      const image = `netns-${id}.img`;
      const key = context.checkpoint.values(image, netns_entry)[0]?.ext_key;
      if (key === undefined || context.request.inheritFds.some((given) => given.key === key))
        return [];
      return [
        {
          id: "external-netns",
          severity: "blocker",
          task: null,
          image,
          subject: key,
          message: `the tree's network namespace is the external one of the name ${key}, and no --inherit-fd gives it`,
          criu_message: `net: Unable to find an external netns: ${key}`,
          remedy: {
            kind: "human",
            text: "open the namespace, one of `ip netns`, and hand it over",
            command: sh`recriu restore ${again(context)} --inherit-fd ${`fd[9]:${key}`} 9</run/netns/NAME`,
          },
        },
      ];
    }),
};

export const sysctlMissing: Check = {
  id: "sysctl-missing",
  title: "This kernel lacks a network setting that the tree had",
  reads: "sysctls in netns-*.img; /proc/sys/net, --weak-sysctls",
  why:
    "CRIU writes the saved settings of the network namespace, all by name. A kernel that is older or built otherwise may lack some; " +
    "--weak-sysctls leaves those out, which loses them, so recriu does not add it by itself.",
  proof: "images",
  run(context) {
    if (context.request.weakSysctls) return [];
    return filledIds(context).flatMap((id): Finding[] => {
      const image = `netns-${id}.img`;
      const [entry] = context.checkpoint.values(image, netns_entry);
      if (entry === undefined) return [];
      const lacking = netSysctls(entry).filter(
        ({ directory, name }) => !context.host.exists(`/proc/sys/${directory}/${name}`),
      );
      if (lacking.length === 0) return [];
      const [{ directory, name }] = lacking as [(typeof lacking)[number]];
      return [
        {
          id: "sysctl-missing",
          severity: "blocker",
          task: null,
          image,
          subject: lacking.map((one) => `${one.directory}/${one.name}`).join(" "),
          message: `this kernel has no ${lacking.map((one) => `${one.directory}/${one.name}`).join(", ")}`,
          criu_message: `sysctl: Can't open sysctl ${directory}/${name}: No such file or directory`,
          remedy: {
            kind: "option",
            text: "go on without the settings that are not there",
            command: null,
            option: "--weak-sysctls",
            automatic: false,
          },
        },
      ];
    });
  },
};
