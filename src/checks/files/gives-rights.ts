/**
 * What gives its caller rights that are not his own: set-user-id, set-group-id, file capabilities (capabilities(7)). Such a file comes
 * back by a person's word only (--use-packed), of a checkpoint that is trusted, as root, and as root's own.
 */
import type { NeededFile } from "../../image/index.ts";
import { OTHERS_WRITE, STICKY, WORLD_WRITES } from "../../sys/linux.ts";
import { andThen, sh, type ShellCommand } from "../../sys/shell.ts";
import type { Context } from "../finding.ts";
import { capabilityName, numbersOf, setOf } from "../rights/capabilities.ts";

const SET_IDS = 0o6000;
const CAPABILITIES = "security.capability";

/** Attributes that are put back; of others the kernel makes its own. */
const OWN_ATTRIBUTES = /^(?:user\.|system\.posix_acl_access$)/;

/** A directory that is a person's to make: it gives rights to others than its owner. */
export const opensToOthers = ({ mode }: { mode: number }): boolean =>
  (mode & SET_IDS) !== 0 || ((mode & WORLD_WRITES) !== 0 && (mode & STICKY) === 0);

/** `never`: it has an attribute that recriu does not put back, or gives rights that it does not give. */
function rightsOf({ mode, taken }: NeededFile): "none" | "some" | "never" {
  const { uid, xattrs = {} } = taken ?? {};
  const others = Object.keys(xattrs).filter((name) => !OWN_ATTRIBUTES.test(name));
  if (others.length === 0 && (mode & SET_IDS) === 0) return "none";
  const isKnown = others.every((name) => name === CAPABILITIES && parsed(xattrs) !== undefined);
  return isKnown && uid === 0 && (mode & OTHERS_WRITE) === 0 ? "some" : "never";
}

/** What of such a file is done here: it is given, it waits for a person's word, or recriu cannot give it. */
export function wordFor(
  { settings, host }: Context,
  file: NeededFile,
  hostPath: string,
): "none" | "given" | "wanted" | "never" {
  const rights = rightsOf(file);
  if (rights !== "some") return rights;
  if (host.effectiveUid !== 0) return "never";
  return settings.usePacked.includes(hostPath) ? "given" : "wanted";
}

/** struct vfs_cap_data of linux/capability.h, as it is in this machine's own user namespace (version 2). */
const VERSION = 0x02000000;
const EFFECTIVE = 1;
const SIZE = 20;

interface FileCapabilities {
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly effective: boolean;
}

function parsed(xattrs: Readonly<Record<string, string>>): FileCapabilities | undefined {
  const bytes = Buffer.from(xattrs[CAPABILITIES] ?? "", "base64");
  if (bytes.length !== SIZE || (bytes.readUInt32LE(0) & ~EFFECTIVE) !== VERSION) return undefined;
  const word = (at: number) => bytes.readUInt32LE(at);
  return {
    permitted: setOf([word(4), word(12)]),
    inheritable: setOf([word(8), word(16)]),
    effective: (word(0) & EFFECTIVE) !== 0,
  };
}

/** The capabilities of a file as setcap(8) takes them; undefined where it has none. */
function capabilityText(xattrs: Readonly<Record<string, string>>): string | undefined {
  const found = parsed(xattrs);
  if (found === undefined) return undefined;
  const { permitted, inheritable, effective } = found;
  const clauses = (
    [
      [permitted & ~inheritable, "p"],
      [inheritable & ~permitted, "i"],
      [permitted & inheritable, "ip"],
    ] as const
  ).flatMap(([set, flags]) =>
    set === 0n
      ? []
      : `${numbersOf(set).map(capabilityName).join(",")}=${effective ? "e" : ""}${flags}`,
  );
  return clauses.length === 0 ? "=" : clauses.join(" ");
}

/** What puts it there by hand, with its capabilities behind. */
export function withCapabilities(
  command: ShellCommand,
  xattrs: Readonly<Record<string, string>>,
  path: string,
): ShellCommand {
  const text = capabilityText(xattrs);
  return text === undefined ? command : andThen(command, sh`setcap ${text} ${path}`);
}
