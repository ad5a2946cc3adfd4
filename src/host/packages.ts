/** Which package of this machine a file belongs to: read from dpkg's lists, or asked of rpm. */
import { readdirSync, readFileSync } from "node:fs";
import { changeable } from "../sys/trust.ts";
import { access, X_OK } from "../sys/stat.ts";

export interface Package {
  name: string;
  /** As the package manager writes it. */
  version: string;
  manager: "dpkg" | "rpm";
}

const DPKG = "/var/lib/dpkg";

/** Each path that is asked for costs milliseconds, and images can name any number. */
const MOST_ASKED = 128;
const asked = new Map<string, Package | undefined>();

/** The package that has the file `path`, or had it if it is gone; undefined where none is known, or too many were asked for. */
export function findPackage(path: string): Package | undefined {
  if (!asked.has(path) && asked.size < MOST_ASKED) asked.set(path, ofDpkg(path) ?? ofRpm(path));
  return asked.get(path);
}

/** Each package's list of files, by the package's name; read when first asked for. */
let lists: readonly { name: string; text: string }[] | undefined;

function dpkgLists(): readonly { name: string; text: string }[] {
  try {
    return readdirSync(`${DPKG}/info`)
      .filter((file) => file.endsWith(".list"))
      .map((file) => ({
        name: file.slice(0, -".list".length),
        text: `\n${readFileSync(`${DPKG}/info/${file}`, "latin1")}`,
      }));
  } catch {
    return [];
  }
}

/** What /usr has taken in stands in the lists as it was called before. */
function namesOf(path: string): string[] {
  const before = /^\/usr(\/(?:bin|sbin|lib\w*)\/.*)$/s.exec(path)?.[1];
  const since = /^\/(?:bin|sbin|lib\w*)\//.test(path) ? `/usr${path}` : undefined;
  return [path, before, since].filter((name) => name !== undefined);
}

function ofDpkg(path: string): Package | undefined {
  if (path.includes("\n")) return undefined;
  lists ??= dpkgLists();
  for (const name of namesOf(path)) {
    const line = `\n${name}\n`;
    const owner = lists.find(({ text }) => text.includes(line))?.name;
    if (owner !== undefined)
      return { name: owner, version: dpkgVersion(owner) ?? "of unknown version", manager: "dpkg" };
  }
  return undefined;
}

/** The version in the package's stanza of dpkg's status file, deb-control(5). */
function dpkgVersion(owner: string): string | undefined {
  const [name, architecture] = owner.split(":");
  let status: string;
  try {
    status = readFileSync(`${DPKG}/status`, "utf8");
  } catch {
    return undefined;
  }
  const stanza = `\n\n${status}`
    .split(`\nPackage: ${name}\n`)
    .slice(1)
    .map((text) => `\n${text.split("\n\n")[0]!}\n`)
    .find(
      (text) => architecture === undefined || text.includes(`\nArchitecture: ${architecture}\n`),
    );
  return /\nVersion: (.*)\n/.exec(stanza ?? "")?.[1];
}

/** rpm keeps a database of its own format. It is not asked where others than root could have put it there. */
function ofRpm(path: string): Package | undefined {
  const rpm = "/usr/bin/rpm";
  if (access(rpm, X_OK) < 0 || changeable(rpm) !== undefined) return undefined;
  const { exitCode, stdout } = Bun.spawnSync(
    [rpm, "-qf", "--qf", "%{NAME}\\t%{VERSION}-%{RELEASE}\\n", "--", path],
    { stdin: "ignore", stderr: "ignore", env: { PATH: "/usr/bin:/bin", LC_ALL: "C" } },
  );
  const [name, version] = stdout.toString().split("\n")[0]!.split("\t");
  return exitCode === 0 && name && version ? { name, version, manager: "rpm" } : undefined;
}
