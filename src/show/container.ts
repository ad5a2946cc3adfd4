/** What an exported archive says of its container: `config.dump` of the engine, `spec.dump` of the runtime, `network.status` of Podman. */
import { asList, asObject, asString, type Json, parsedObject } from "../image/others-json.ts";

export interface ShownContainer {
  readonly engine: "Podman" | "CRI-O" | "containerd" | null;
  readonly name: string | null;
  readonly id: string | null;
  readonly image: string | null;
  /** The OCI runtime that it was made with. */
  readonly runtime: string | null;
  /** When it was made, and when it was checkpointed, as the engine wrote it. */
  readonly created: string | null;
  readonly checkpointed: string | null;
  readonly namespace: string | null;
  readonly pod: string | null;
  /** With their prefix where it is known. */
  readonly addresses: readonly string[];
  readonly macs: readonly string[];
  /** Bytes of what it changed in its root file system. */
  readonly changed: number | null;
  readonly mounts: readonly ContainerMount[];
  readonly annotations: Readonly<Record<string, string>>;
}

interface ContainerMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
}

/** `texts` stand beside the images in an archive; undefined where none of them is there, as in a pack. */
export function containerOf(
  texts: ReadonlyMap<string, string>,
  changed: number | undefined,
): ShownContainer | null {
  if (!texts.has("config.dump") && !texts.has("spec.dump")) return null;
  const config = parsedObject(texts.get("config.dump"));
  const spec = parsedObject(texts.get("spec.dump"));
  const annotations = textsOf(asObject(spec["annotations"]));
  const note = (...names: string[]) =>
    names.map((name) => annotations[name]).find((value) => value !== undefined) ?? null;
  const named = (...names: string[]) =>
    names.map((name) => asString(config[name])).find((value) => value !== undefined) ?? null;
  const network = networkOf(parsedObject(texts.get("network.status")));
  const crio = asString(parsedObject(annotations["io.kubernetes.cri-o.Metadata"])["name"]);
  const own = note("io.kubernetes.cri-o.IP.0");
  return {
    engine: engineOf(config, annotations),
    name: crio ?? note("io.kubernetes.cri.container-name") ?? named("name"),
    id: named("id"),
    image: named("rootfsImageName", "rootfsImage", "rootfsImageID"),
    runtime: named("runtime"),
    created: note("io.kubernetes.cri-o.Created") ?? named("createdTime"),
    checkpointed: named("checkpointedTime", "checkpointedAt"),
    namespace: note("io.kubernetes.pod.namespace", "io.kubernetes.cri.sandbox-namespace"),
    pod: note("io.kubernetes.pod.name", "io.kubernetes.cri.sandbox-name"),
    addresses: own === null ? network.addresses : [own],
    macs: network.macs,
    changed: changed ?? null,
    mounts: asList(spec["mounts"]).map((mount) => ({
      destination: asString(mount["destination"]) ?? "",
      type: asString(mount["type"]) ?? "",
      source: asString(mount["source"]) ?? "",
    })),
    annotations,
  };
}

function engineOf(
  config: Json,
  annotations: Readonly<Record<string, string>>,
): ShownContainer["engine"] {
  const manager = annotations["io.container.manager"];
  // Of a container's directories only Podman writes; its pods have annotations of CRI-O's, too.
  if (manager === "libpod" || config["staticDir"] !== undefined) return "Podman";
  const names = Object.keys(annotations);
  if (manager === "cri-o" || names.some((name) => name.startsWith("io.kubernetes.cri-o.")))
    return "CRI-O";
  return names.some((name) => name.startsWith("io.kubernetes.cri.")) ? "containerd" : null;
}

const textsOf = (object: Json): Record<string, string> =>
  Object.fromEntries(
    Object.entries(object).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );

/** Of Podman: each network's interfaces, and their addresses. */
function networkOf(status: Json): { addresses: string[]; macs: string[] } {
  const interfaces = Object.values(status).flatMap((network) =>
    Object.values(asObject(asObject(network)["interfaces"])).map(asObject),
  );
  return {
    addresses: interfaces.flatMap(({ subnets }) =>
      asList(subnets).flatMap(({ ipnet }) => asString(ipnet) ?? []),
    ),
    macs: interfaces.flatMap(({ mac_address: mac }) => asString(mac) ?? []),
  };
}
