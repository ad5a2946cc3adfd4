/** The sysctls of a network namespace, which CRIU saves by their places in these lists (net.c). */
import type { Infer } from "../../image/index.ts";
import type { netns_entry } from "../../image/tables/namespaces.ts";

const ipv4 = [
  "accept_local accept_redirects accept_source_route arp_accept arp_announce arp_filter arp_ignore arp_notify bootp_relay",
  "disable_policy disable_xfrm force_igmp_version forwarding igmpv2_unsolicited_report_interval",
  "igmpv3_unsolicited_report_interval log_martians medium_id promote_secondaries proxy_arp proxy_arp_pvlan route_localnet",
  "rp_filter secure_redirects send_redirects shared_media src_valid_mark tag ignore_routes_with_linkdown",
  "drop_gratuitous_arp drop_unicast_in_l2_multicast",
];

const ipv6 = [
  "accept_dad accept_ra accept_ra_defrtr accept_ra_from_local accept_ra_min_hop_limit accept_ra_mtu accept_ra_pinfo",
  "accept_ra_rt_info_max_plen accept_ra_rtr_pref accept_redirects accept_source_route autoconf dad_transmits disable_ipv6",
  "drop_unicast_in_l2_multicast drop_unsolicited_na force_mld_version force_tllao forwarding hop_limit",
  "ignore_routes_with_linkdown keep_addr_on_down max_addresses max_desync_factor mldv1_unsolicited_report_interval",
  "mldv2_unsolicited_report_interval mtu ndisc_notify optimistic_dad proxy_ndp regen_max_retry router_probe_interval",
  "router_solicitation_delay router_solicitation_interval router_solicitations stable_secret suppress_frag_ndisc",
  "temp_prefered_lft temp_valid_lft use_oif_addrs_only use_optimistic use_tempaddr",
];

export interface NetSysctl {
  directory: string;
  name: string;
}

/** The settings that CRIU will write, each under /proc/sys; one that had no value at the dump is left out. */
export function netSysctls(entry: Infer<typeof netns_entry>): NetSysctl[] {
  const found: NetSysctl[] = [];
  const note = (
    directory: string,
    names: string,
    values: readonly { iarg?: number | undefined; sarg?: string | undefined }[],
  ) => {
    for (const [index, name] of names.split(" ").entries()) {
      const value = values[index];
      if (value?.iarg !== undefined || value?.sarg !== undefined) found.push({ directory, name });
    }
  };
  note("net/ipv4/conf/all", ipv4.join(" "), entry.all_conf4);
  note("net/ipv4/conf/default", ipv4.join(" "), entry.def_conf4);
  note("net/ipv6/conf/all", ipv6.join(" "), entry.all_conf6);
  note("net/ipv6/conf/default", ipv6.join(" "), entry.def_conf6);
  note("net/unix", "max_dgram_qlen", entry.unix_conf);
  note("net/ipv4", "ping_group_range", entry.ipv4_sysctl);
  return found;
}
