/** Where mounts of the tree come from and go to on this machine (mount.c, mount-v2.c). */
import type { Lookup } from "../../host/index.ts";
import type { Context } from "../finding.ts";
import type { Mount } from "./external.ts";

/** What is at a path of this machine; a link at its end is followed only where that is asked for. */
export function lookOnHost({ host }: Context, path: string, follow = false): Lookup | undefined {
  const root = host.root("/");
  return root.ok && path.startsWith("/") ? root.root.look(path, follow) : undefined;
}

/** What is at the place where a mount of the root task's namespace goes, when the host decides that. */
export function lookAtPlace({ namespaces }: Context, { entry, at }: Mount) {
  const place = namespaces.place(at, entry.parent_mnt_id);
  return place.onHost ? { place, found: place.root.look(place.path) } : undefined;
}

/** Of the root task's mount namespace: `namespaces.place` knows its paths. */
export const inRootNamespace = ({ checkpoint }: Context, { image }: Mount) =>
  image === `mountpoints-${checkpoint.root?.ids?.mnt_ns_id}.img`;
