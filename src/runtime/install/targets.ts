/** What has to be written so that each runtime's callers come to recriu: files and links, as values. */
import { join } from "../../sys/path.ts";
import { addMember } from "./json.ts";
import { withContainerdRuntime } from "./toml.ts";

export const targets = ["podman", "docker", "containerd", "crio", "runc", "crun", "criu"] as const;
export type Target = (typeof targets)[number];

/** What a path shall be. A file's new text is made from what it is now (undefined: it is not there). */
export type Want =
  | { path: string; link: string }
  | { path: string; text: (now: string | undefined) => string | { problem: string } };

interface Installation {
  wants: Want[];
  /** What the user has to do for it to take effect. */
  next: string[];
}

/** Before /usr/sbin and /usr/bin in every usual PATH. */
const BIN = "/usr/local/bin";
const SBIN = "/usr/local/sbin";
const runc = join(BIN, "recriu-runc");
const crun = join(BIN, "recriu-crun");

/** What a target needs; `recriu` is the binary's own path, `hasDefault`: Docker's daemon is given a default runtime by a flag. */
export function installationOf(target: Target, recriu: string, hasDefault: boolean): Installation {
  const link = (path: string): Want => ({ path, link: recriu });
  switch (target) {
    case "runc":
      return { wants: [link(runc)], next: ["call recriu-runc where you call runc"] };
    case "crun":
      return { wants: [link(crun)], next: ["call recriu-crun where you call crun"] };
    case "criu":
      return {
        wants: [link(join(SBIN, "criu"))],
        next: [
          `everything that finds criu by PATH finds recriu first, if ${SBIN} comes first there`,
        ],
      };
    case "podman":
      // Under the runtimes' own names: an archive names the runtime it was made with.
      return {
        wants: [
          link(runc),
          link(crun),
          dropIn(
            "/etc/containers/containers.conf.d/50-recriu.conf",
            `[engine.runtimes]\nrunc = ["${runc}"]\ncrun = ["${crun}"]\n`,
          ),
        ],
        next: ["nothing: the next podman command uses it"],
      };
    case "crio":
      return {
        wants: [
          link(runc),
          dropIn(
            "/etc/crio/crio.conf.d/50-recriu.conf",
            `[crio.runtime.runtimes.recriu]\nruntime_path = "${runc}"\nruntime_type = "oci"\n`,
          ),
        ],
        next: ["systemctl reload crio", "pods choose it by a RuntimeClass whose handler is recriu"],
      };
    case "docker":
      return {
        wants: [
          link(runc),
          { path: "/etc/docker/daemon.json", text: (now) => withDockerRuntime(now, hasDefault) },
        ],
        next: [
          "systemctl reload docker",
          "new containers use it, or with --runtime=recriu where another default-runtime is set; older ones keep theirs",
        ],
      };
    case "containerd":
      return {
        wants: [
          link(runc),
          {
            path: "/etc/containerd/config.toml",
            text: (now) => withContainerdRuntime(now, runc),
          },
        ],
        next: [
          "systemctl restart containerd",
          "pods choose it by a RuntimeClass whose handler is recriu; ctr by --runc-binary",
        ],
      };
  }
}

/** A file that is recriu's alone. */
const dropIn = (path: string, content: string): Want => ({
  path,
  text: () => `# Written by recriu install; recriu uninstall removes it.\n${content}`,
});

/** daemon.json with a runtime `recriu`, for all new containers unless another default is set. dockerd starts with none set twice. */
function withDockerRuntime(
  now: string | undefined,
  hasDefault: boolean,
): string | { problem: string } {
  const text = now?.trim() ? now : "{}\n";
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    return { problem: `it is no JSON: ${(error as Error).message}` };
  }
  if (typeof config !== "object" || config === null || Array.isArray(config))
    return { problem: "it is no JSON object" };
  const { runtimes = {} } = config as { runtimes?: unknown };
  if (typeof runtimes !== "object" || runtimes === null || Array.isArray(runtimes))
    return { problem: "its runtimes are no JSON object" };
  const added = addMember(text, ["runtimes"], "recriu", { path: runc });
  return hasDefault ? added : addMember(added, [], "default-runtime", "recriu");
}
