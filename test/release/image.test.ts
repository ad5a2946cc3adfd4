/** The image for nodes of Kubernetes, by the specification's rules; test/runtime/newer.test.ts has containerd and Podman take it. */
import { createHash } from "node:crypto";
import { beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../scripts/release/about.ts";
import { openStage, run, type Stage } from "../restore/stage.ts";
import { type Released, released } from "./released.ts";
import { runHere } from "./systems.ts";

let release: Released;
beforeAll(async () => {
  release = await released();
}, 240_000);

const archive = (arch: string) => join(release.dir, `recriu-${release.version}-image-${arch}.tar`);
const manifests = Bun.YAML.parse(
  readFileSync(join(repository, "docs/kubernetes/daemonset.yaml"), "utf8"),
) as any[];
const [daemonSet, runtimeClass] = manifests;
const [container] = daemonSet.spec.template.spec.containers;

/** A layout unpacked, and its blobs by their descriptors: each is what its digest and size say. */
async function layoutOf(stage: Stage, arch: string) {
  const dir = join(stage.dir, arch);
  mkdirSync(dir);
  expect((await run(stage, ["tar", "-xf", archive(arch), "-C", dir])).exit).toBe(0);
  const json = (name: string) => JSON.parse(readFileSync(join(dir, name), "utf8"));
  const blob = ({ digest, size }: { digest: string; size: number }) => {
    const path = join(dir, "blobs", digest.replace(":", "/"));
    const bytes = readFileSync(path);
    const sum = createHash("sha256").update(bytes).digest("hex");
    expect([`sha256:${sum}`, bytes.length]).toEqual([digest, size]);
    return { path, bytes, json: () => JSON.parse(bytes.toString()) };
  };
  return { json, blob };
}

test("each is an image layout of one manifest for its machine, and holds recriu and links to the node", async () => {
  await using stage = openStage();
  for (const [arch, target] of [
    ["amd64", "x64"],
    ["arm64", "arm64"],
  ] as const) {
    const { json, blob } = await layoutOf(stage, arch);
    expect(json("oci-layout")).toEqual({ imageLayoutVersion: "1.0.0" });
    const { schemaVersion, manifests: listed } = json("index.json");
    expect([schemaVersion, listed.length]).toEqual([2, 1]);
    expect(listed[0]).toMatchObject({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      platform: { architecture: arch, os: "linux" },
      annotations: { "org.opencontainers.image.ref.name": container.image },
    });
    const manifest = blob(listed[0]).json();
    const config = blob(manifest.config).json();
    expect([manifest.layers.length, config.architecture, config.os]).toEqual([1, arch, "linux"]);
    const layer = blob(manifest.layers[0]);
    const contents = Bun.gunzipSync(layer.bytes);
    const sum = createHash("sha256").update(contents).digest("hex");
    expect(config.rootfs).toEqual({ type: "layers", diff_ids: [`sha256:${sum}`] });
    const names = await run(stage, ["tar", "-tvzf", layer.path]);
    const listing = names.stdout.trim().split("\n");
    expect(listing.filter((line) => !line.startsWith("d")).length).toBe(7);
    expect(listing.join("\n")).toMatch(/^-rwxr-xr-x root\/root .* recriu$/m);
    for (const path of ["bin", "etc/ld.so.cache", "lib", "lib64", "sbin", "usr"])
      expect(listing.join("\n")).toMatch(new RegExp(`^l.* ${path} -> /host/${path}$`, "m"));
    const cat = ["sh", "-c", `tar -xzOf "$0" recriu | cmp - "$1"`, layer.path];
    expect(runHere([...cat, join(release.unpacked(target), "recriu")]).exit).toBe(0);
  }
});

test("the manifest names the image of this version, mounts the node, and reaches no registry", () => {
  expect([daemonSet.kind, runtimeClass.kind]).toEqual(["DaemonSet", "RuntimeClass"]);
  expect(runtimeClass).toMatchObject({ metadata: { name: "recriu" }, handler: "recriu" });
  expect(container).toMatchObject({
    image: `localhost/recriu:${release.version}`,
    imagePullPolicy: "Never",
    volumeMounts: [{ name: "node", mountPath: "/host" }],
  });
  const { volumes, hostPID } = daemonSet.spec.template.spec;
  expect([volumes, hostPID]).toEqual([
    [{ name: "node", hostPath: { path: "/", type: "Directory" } }],
    true,
  ]);
  const text = readFileSync(join(repository, "docs/kubernetes/daemonset.yaml"), "utf8");
  expect(text).toContain(`recriu-${release.version}-image-amd64.tar`);
});
