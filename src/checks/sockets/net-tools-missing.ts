import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import { filledIds } from "./net.ts";

/** NETWORK_LOCK_IPTABLES, which images before 3.17 mean without saying so. */
const LOCK_IPTABLES = 0;

export const netToolsMissing: Check = {
  title: "A program that CRIU sets the network up with is not installed",
  reads:
    "which of ifaddr, route, rule, iptables and ip6tables images there are, network_lock_method in inventory.img; programs in PATH, CR_IP_TOOL",
  why:
    "CRIU gives addresses, routes and rules back with `ip`, and packet filters with `iptables-restore`. It starts them by name, and stops " +
    "where one is not there.",
  proof: "criu",
  run(context) {
    const { checkpoint, host, namespaces, request } = context;
    const findings: Problem[] = [];
    if (!namespaces.created.net) return findings;
    const missing = (image: string, program: string, said: string, install: string) =>
      findings.push({
        severity: "blocker",
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
    if (ip) missing(ip.file, tool, `IP tool failed on ${ip.name} restore`, "iproute2");
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
        namespaces.created.net &&
        request.emptyNs.includes("net") &&
        (checkpoint.inventory?.network_lock_method ?? LOCK_IPTABLES) === LOCK_IPTABLES
      ) {
        missing(
          "inventory.img",
          programs[0]!,
          "Locking network failed: iptables-restore returned",
          "iptables",
        );
      }
    }
    return findings;
  },
};
