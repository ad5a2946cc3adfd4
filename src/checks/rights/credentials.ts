/** Capabilities and ids that CRIU cannot give back (pie/restorer.c, restore_creds). */
import type { Context } from "../finding.ts";

/** The tree gets a user namespace in which CRIU has every capability, and ids that its images map. */
export const otherUsers = ({ namespaces, request }: Context): boolean =>
  namespaces.own.user || request.joinNs.some(({ ns }) => ns === "user");
