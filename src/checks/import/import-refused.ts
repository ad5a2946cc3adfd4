import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import { stops } from "./import.ts";

export const importRefused: Check = {
  title: "Podman does not import the archive as it is",
  reads:
    "config.dump in the archive, `parent` among its images; runtimes and images of this machine",
  why:
    "Podman wants the OCI runtime that the archive was made with, the image that the container was made from (which it pulls), a pod for a " +
    "container that was in one, and the memory of a pre-checkpoint where the archive has only what changed since.",
  proof: "images",
  run({ exported, checkpoint }) {
    if (exported?.engine !== "podman") return [];
    const { file, runtime, runtimeIsHere, image, pod, depends, store } = exported;
    const found: Problem[] = [];
    // Podman's own configuration may have it elsewhere.
    if (runtime !== undefined && !runtimeIsHere)
      found.push({
        ...stops(
          runtime,
          `the archive was made with the OCI runtime ${runtime}, which is in no usual place here, and is restored with no other`,
          `install ${runtime}`,
        ),
        severity: "warning",
      });
    if (depends)
      found.push(
        stops(
          "Dependencies",
          "the container shares namespaces with another container, and Podman imports none of that kind",
          "make the container without it",
        ),
      );
    if (pod)
      found.push(
        stops(
          "pod",
          "the container was in a pod, and is imported into one only",
          "make a pod that shares the same namespaces, and name it",
          sh`podman pod create --name POD && podman container restore --import ${file} --pod POD`,
        ),
      );
    if (checkpoint.files.has("parent"))
      found.push(
        stops(
          "parent",
          "the archive has only what changed since a pre-checkpoint, whose archive is needed, too",
          "name that one",
          sh`podman container restore --import ${file} --import-previous PREVIOUS`,
        ),
      );
    if (typeof store !== "string" && !store.hasImage && image !== undefined)
      found.push({
        severity: "warning",
        image: "config.dump",
        subject: image,
        message: `the image ${image} is not here: Podman will pull it, and fails where it cannot`,
        remedy: { kind: "human", text: "pull or load it first", command: sh`podman pull ${image}` },
      });
    return found;
  },
};
