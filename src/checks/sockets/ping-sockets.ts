/** ICMP sockets without privilege, as ping(8) has them: only groups of net.ipv4.ping_group_range may make one (icmp(7)). */

/** Nobody: what a network namespace begins with. */
export const NOBODY = "1 0";
