/** Where the container lives, held against its bundle: namespaces, the ids of its users, its root. */
import type { CheckId } from "../catalogue.ts";
import type { Remedy } from "../finding.ts";

/** Only the user can tell whether it is meant. */
export const notThisContainer = (id: CheckId): Remedy => ({
  kind: "human",
  text:
    "do not restore these images as this container; if they are its own and it is meant " +
    `(a process of \`exec --privileged\` has more), RECRIU_IGNORE=${id} goes on`,
});
