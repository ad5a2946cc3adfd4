/** A checkpoint that an engine exported, and what stands in that engine's store on this machine, as plain data. */

/** Containers, volumes and the image, as the engine's own program lists them. */
export interface EngineStore {
  readonly containers: readonly { readonly id: string; readonly name: string }[];
  readonly volumes: readonly string[];
  readonly hasImage: boolean;
}

export interface Exported {
  /** The archive, as the user named it. */
  readonly file: string;
  /** Podman's `container export`; or one of the kubelet's API, which a CRI runtime takes into a pod. */
  readonly engine: "podman" | "cri";
  readonly id: string | undefined;
  readonly name: string | undefined;
  /** The OCI runtime that it was made with, and whether one of that name is here. */
  readonly runtime: string | undefined;
  readonly runtimeIsHere: boolean;
  /** It names containers that it cannot be without; Podman imports none of those. */
  readonly depends: boolean;
  readonly image: string | undefined;
  readonly pod: boolean;
  /** Volumes that the archive's container has by name. */
  readonly volumes: readonly string[];
  /** TCP ports of this machine that it publishes. */
  readonly ports: readonly number[];
  /** Or why it was not looked at. */
  readonly store: EngineStore | string;
}
