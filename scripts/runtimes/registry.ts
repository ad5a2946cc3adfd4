/** A registry with one image, for the case `cri`: `registry.ts DIR` serves that OCI layout under every name and tag, at port 5000. */
import { join } from "node:path";

const [dir] = process.argv.slice(2);
if (dir === undefined) throw new Error("name an OCI layout");
const { manifests } = await Bun.file(join(dir, "index.json")).json();
const [{ digest, mediaType }] = manifests;
Bun.serve({
  hostname: "127.0.0.1",
  port: 5000,
  fetch({ url }) {
    const asked = /\/(manifests|blobs)\/(?:sha256:([0-9a-f]{64})|[^/]*)$/.exec(url);
    if (asked === null) return new Response("{}"); // /v2/: is it a registry?
    const manifest = asked[1] === "manifests";
    const hash = asked[2] ?? digest.slice("sha256:".length);
    return new Response(Bun.file(join(dir, "blobs/sha256", hash)), {
      headers: {
        "content-type": manifest ? mediaType : "application/octet-stream",
        "docker-content-digest": `sha256:${hash}`,
      },
    });
  },
});
