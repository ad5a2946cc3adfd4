/**
 * An image of recriu alone as an OCI archive (image-spec: image-layout.md, manifest.md, config.md), for nodes of Kubernetes
 * that reach no registry. It has one file; the rest are links to where a pod mounts the node's root: it runs on the node's libc,
 * and its shell is the node's (docs/kubernetes.md).
 */
import { createHash } from "node:crypto";
import type { About } from "./about.ts";
import { file, type Item, link, tar } from "./archives.ts";
import { gzipped } from "./gzip.ts";

/** Where a pod mounts the node's root. */
const NODE = "/host";
const ofNode = ["bin", "etc/ld.so.cache", "lib", "lib64", "sbin", "usr"];

interface Blob extends Item {
  readonly descriptor: { mediaType: string; digest: string; size: number };
}

/** `arch` as Go names it: amd64, arm64. The image's name is localhost/recriu:VERSION. */
export async function image(about: About, arch: string, binary: Uint8Array): Promise<Buffer> {
  const { version, epoch, license, summary } = about;
  const created = new Date(epoch * 1000).toISOString();
  const labels = {
    "org.opencontainers.image.version": version,
    "org.opencontainers.image.licenses": license,
    "org.opencontainers.image.description": summary,
  };
  const files = [
    file("recriu", binary, 0o755),
    ...ofNode.map((path) => link(path, `${NODE}/${path}`)),
  ];
  const contents = await tar(files, epoch);
  const layer = blob("layer.v1.tar+gzip", await gzipped(contents));
  const config = blob("config.v1+json", {
    architecture: arch,
    os: "linux",
    created,
    config: {
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      Entrypoint: ["/recriu"],
      Labels: labels,
    },
    rootfs: { type: "layers", diff_ids: [digestOf(contents)] },
    history: [{ created, created_by: "npm run release" }],
  });
  const manifest = blob("manifest.v1+json", {
    schemaVersion: 2,
    mediaType: mediaType("manifest.v1+json"),
    config: config.descriptor,
    layers: [layer.descriptor],
    annotations: labels,
  });
  const name = `localhost/recriu:${version}`;
  const index = {
    schemaVersion: 2,
    mediaType: mediaType("index.v1+json"),
    manifests: [
      {
        ...manifest.descriptor,
        platform: { architecture: arch, os: "linux" },
        // Podman takes the first for its name, containerd and Docker the second.
        annotations: {
          "org.opencontainers.image.ref.name": name,
          "io.containerd.image.name": name,
        },
      },
    ],
  };
  const layout = [
    file("oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0" })),
    file("index.json", JSON.stringify(index)),
  ];
  return tar([...layout, layer, config, manifest], epoch);
}

const mediaType = (kind: string): string => `application/vnd.oci.image.${kind}`;

const digestOf = (data: Uint8Array): string =>
  `sha256:${createHash("sha256").update(data).digest("hex")}`;

function blob(kind: string, content: Buffer | object): Blob {
  const data = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
  const digest = digestOf(data);
  return {
    ...file(`blobs/${digest.replace(":", "/")}`, data),
    descriptor: { mediaType: mediaType(kind), digest, size: data.length },
  };
}
