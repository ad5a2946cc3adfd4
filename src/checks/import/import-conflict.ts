import { IPPROTO_TCP, TCP_LISTEN } from "../../sys/linux.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import { stops } from "./import.ts";

export const importConflict: Check = {
  title: "Something of the imported container's name or id is there already",
  reads:
    "config.dump in the archive; the containers, volumes and listening ports of this machine, as Podman lists them",
  why:
    "Podman gives the container its old name and id, makes its volumes anew, and listens on its published ports. It stops where one of these is taken. " +
    "With -n the container gets a new id, too; --ignore-volumes uses the volumes that are there, and leaves the archive's content out.",
  proof: "criu",
  run({ exported, host }) {
    if (exported?.engine !== "podman" || typeof exported.store === "string") return [];
    const { file, store, id, name, volumes, ports } = exported;
    const found: Problem[] = [];
    const same = store.containers.find((each) => each.id === id);
    const alike = store.containers.find((each) => each.name === name);
    const taken = same ?? alike;
    if (taken !== undefined)
      found.push(
        stops(
          taken.name,
          `Podman has a container of the ${same === undefined ? "name" : "id"} of the archive's: ${taken.name} (${taken.id.slice(0, 12)})`,
          "give the new one another name, by which it gets an id of its own, or remove the old one",
          sh`podman container restore --import ${file} -n ${`${name ?? "container"}-restored`}`,
        ),
      );
    for (const volume of volumes.filter((each) => store.volumes.includes(each)))
      found.push(
        stops(
          volume,
          `Podman has a volume ${volume}, which the archive brings with it`,
          "use the one that is there as it is, or remove it first and take the archive's",
          sh`podman container restore --import ${file} --ignore-volumes`,
        ),
      );
    const listening = ports.length === 0 ? [] : host.inetSockets(IPPROTO_TCP);
    for (const port of ports)
      if (listening.some(({ state, sourcePort }) => state === TCP_LISTEN && sourcePort === port))
        found.push(
          stops(
            `TCP port ${port}`,
            `the container publishes the TCP port ${port}, and a program listens on it here`,
            "stop the program that listens there, or publish another one (-p of podman container restore)",
          ),
        );
    return found;
  },
};
