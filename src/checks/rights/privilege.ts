import { knows, type Refusal } from "../../criu/index.ts";
import { sh } from "../../sys/shell.ts";
import { again } from "../again.ts";
import type { Check, Context } from "../finding.ts";

const CAP_NET_ADMIN = 1n << 12n;

const CAP_SYS_ADMIN = 1n << 21n;

const CAP_CHECKPOINT_RESTORE = 1n << 40n;

export const privilege: Check = {
  title: "The caller lacks the rights to restore",
  reads:
    "effective user id and capabilities of recriu, which CRIU inherits; what CRIU itself says of them when it starts; --unprivileged",
  why:
    "CRIU needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE. It refuses a caller other than root without --unprivileged (from 3.18 on). Root with CAP_CHECKPOINT_RESTORE alone " +
    "needs that option, too: without it CRIU fails at namespaces that it tries out and at the tree's clocks. With it the clocks are this machine's. recriu adds it " +
    "unless --unprivileged or --no-unprivileged was given.",
  proof: "criu",
  answers: ["option", "person"],
  run({ checkpoint, criu, host, namespaces, settings, request }) {
    const root = host.effectiveUid === 0;
    const shared = {
      severity: "blocker",
      image: "",
      subject: `uid ${host.effectiveUid}`,
    } as const;
    const sudo = {
      kind: "human",
      text: root
        ? "run it with CAP_SYS_ADMIN, outside of this container or unit"
        : "run it as root",
      command: root ? null : sh`sudo recriu restore ${again({ settings, request })}`,
    } as const;
    // Before 3.18 CRIU asks for no capability, and fails where it first needs one.
    const asks = knows(criu?.version, "unprivileged", true);
    const failing = () => lineOf(criu?.startRefusal()) ?? refusalAfter(host, checkpoint);
    if ((host.capabilities & (CAP_SYS_ADMIN | CAP_CHECKPOINT_RESTORE)) === 0n) {
      return [
        {
          ...shared,
          message: "neither CAP_SYS_ADMIN nor CAP_CHECKPOINT_RESTORE is in effect",
          criu_message: asks
            ? "CRIU needs to have the CAP_SYS_ADMIN or the CAP_CHECKPOINT_RESTORE capability"
            : failing(),
          remedy: sudo,
        },
      ];
    }
    const admin = (host.capabilities & CAP_SYS_ADMIN) !== 0n;
    const { user, ...others } = namespaces.created;
    // Of such a tree CRIU has to make namespaces, whatever it is told.
    const needsAdmin = !user && Object.values(others).includes(true);
    if (request.unprivileged ? admin || !needsAdmin : admin && root) return [];
    const unprivileged = knows(criu?.version, "unprivileged", false);
    return [
      {
        ...shared,
        message: root
          ? `CAP_SYS_ADMIN is not in effect, only CAP_CHECKPOINT_RESTORE${needsAdmin ? ", and the tree has namespaces of its own" : ""}`
          : "the caller is not root",
        criu_message:
          !root && asks
            ? "Running as non-root requires '--unprivileged'"
            : needsAdmin
              ? null
              : failing(),
        remedy:
          needsAdmin || !unprivileged
            ? sudo
            : {
                kind: "option",
                text: "do without what takes more rights; the tree's clocks become this machine's",
                option: "--unprivileged",
                automatic: !request.explicit.has("unprivileged"),
              },
      },
    ];
  },
};

const lineOf = (refusal: Refusal | undefined): string | undefined =>
  refusal?.kind === "refused" ? refusal.line : undefined;

/** Where CRIU fails that has tried the kernel out before: at a socket of its own, or at the tree's clocks. */
function refusalAfter(
  { capabilities }: Context["host"],
  { files }: Context["checkpoint"],
): string | null {
  if ((capabilities & CAP_NET_ADMIN) === 0n)
    return "Unable to set SO_SNDBUFFORCE/SO_RCVBUFFORCE: Operation not permitted";
  return files.has("timens-0.img")
    ? "Unable to create a new time namespace: Operation not permitted"
    : null;
}
