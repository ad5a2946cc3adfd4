/** What a task would keep of CRIU, because CRIU does not set it or does not look whether it could. */
import type { Context } from "../finding.ts";
import { capabilitiesOfCriu, has } from "./capabilities.ts";

/** True where CRIU certainly has no such capability; a task in a user namespace of its own has none over the machine. */
export function lacks({ host, namespaces }: Context, capability: number): boolean {
  if (namespaces.own.user) return true;
  const own = capabilitiesOfCriu(host);
  return own !== undefined && !has(own.permitted, capability);
}
