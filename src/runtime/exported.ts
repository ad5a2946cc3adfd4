/** What an exported checkpoint says of its container (config.dump), and what the engine has of it on this machine. */
import type { EngineStore, Exported } from "../checks/index.ts";
import { asList, asObject, asString, parsedObject } from "../image/others-json.ts";
import { findRuntime } from "./real.ts";

/** How long Podman is waited for, in milliseconds. */
const PATIENCE = 20_000;

/** Whether CRI's CheckpointContainer made it. Podman has annotations of CRI-O's, too; of a container's directories only Podman writes. */
export function isKubelets(texts: ReadonlyMap<string, string>): boolean {
  const annotations = asObject(parsedObject(texts.get("spec.dump"))["annotations"]);
  return (
    parsedObject(texts.get("config.dump"))["staticDir"] === undefined &&
    Object.keys(annotations).some((name) => name.startsWith("io.kubernetes.cri"))
  );
}

/** `texts` are those beside the images in the archive `file`; `env` has the PATH that the engine is found by. */
export async function exportedFrom(
  file: string,
  texts: ReadonlyMap<string, string>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Exported> {
  const config = parsedObject(texts.get("config.dump"));
  const isCri = isKubelets(texts);
  const runtime = asString(config["runtime"]);
  const image = asString(config["rootfsImageName"]) ?? asString(config["rootfsImageID"]);
  const shares = config["Dependencies"] ?? config["dependencies"];
  return {
    file,
    engine: isCri ? "cri" : "podman",
    id: asString(config["id"]),
    name: asString(config["name"]),
    runtime,
    runtimeIsHere: runtime === undefined || findRuntime(runtime, env["PATH"]).path !== undefined,
    depends: Array.isArray(shares) && shares.length > 0,
    image,
    pod: asString(config["pod"]) !== undefined,
    volumes: asList(config["namedVolumes"]).flatMap(({ volumeName }) => asString(volumeName) ?? []),
    ports: asList(config["newPortMappings"] ?? config["portMappings"]).flatMap((port) =>
      typeof port["host_port"] === "number" && port["protocol"] !== "udp"
        ? [port["host_port"]]
        : [],
    ),
    store: isCri ? "it is no archive of Podman's" : await storeOf(image, env),
  };
}

/** What Podman has; or why it was not looked at. */
async function storeOf(
  image: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<EngineStore | string> {
  const { path } = findRuntime("podman", env["PATH"]);
  if (path === undefined) return "there is no podman here";
  const ask = async (...words: string[]) => {
    const child = Bun.spawn([path, ...words], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
      timeout: PATIENCE,
    });
    const said = await new Response(child.stdout).text();
    await child.exited;
    return { said, code: child.exitCode };
  };
  const containers = await ask("ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}}");
  const volumes = await ask("volume", "ls", "--quiet");
  const found = image === undefined ? { code: 0 } : await ask("image", "exists", image);
  if (containers.code !== 0 || volumes.code !== 0 || (found.code !== 0 && found.code !== 1))
    return `${path} gave no answer`;
  const lines = (of: string) => of.split("\n").filter((each) => each !== "");
  return {
    containers: lines(containers.said).map((each) => {
      const [id = "", name = ""] = each.split(" ");
      return { id, name };
    }),
    volumes: lines(volumes.said),
    hasImage: found.code === 0,
  };
}
