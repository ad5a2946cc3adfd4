/** What docs/kubernetes has a node do, for the case `node`: the release's image of dist/recriu, and the DaemonSet's words. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aboutRecriu, repository } from "../release/about.ts";
import { image } from "../release/image.ts";

const [dir] = process.argv.slice(2);
if (dir === undefined) throw new Error("name a directory");
const about = await aboutRecriu();
const arch = process.arch === "arm64" ? "arm64" : "amd64";
writeFileSync(
  join(dir, "image.tar"),
  await image(about, arch, readFileSync(join(repository, "dist/recriu"))),
);
const manifest = readFileSync(join(repository, "docs/kubernetes/daemonset.yaml"), "utf8");
const [daemonSet] = Bun.YAML.parse(manifest) as any[];
const [{ image: name, args, command, securityContext }] = daemonSet.spec.template.spec.containers;
// The container ends where the pod's would wait.
const words = args.join("\n").replace(/^exec sleep infinity$/m, "");
writeFileSync(
  join(dir, "daemonset.json"),
  JSON.stringify({ name, command, words, capabilities: securityContext.capabilities.add }),
);
