/** What goes along with a CRIU that is given away: whose it is, and where its source is. */
import { findPackage, type Package } from "../host/packages.ts";

/** The text beside the program at `path` and its `libraries`. Debian's names and versions lead to the very source. */
export function licenceOf(
  { path, version }: { path: string; version: string | undefined },
  libraries: readonly string[],
): string {
  const criu = findPackage(path);
  return `CRIU ${version ?? "of unknown version"}, criu.bin here, was copied from ${path}.

Its licence is the GNU General Public License, version 2 only (SPDX: GPL-2.0-only):
https://www.gnu.org/licenses/old-licenses/gpl-2.0.txt
recriu, which starts it as a program of its own, is not part of it (Apache-2.0).

Its source: ${sourceOf(criu, version)}

The libraries in lib/, with the packages that they are of, have licences of their own:
${libraries.map((library) => `  ${library}: ${shown(findPackage(library))}\n`).join("")}
Whoever gives this to others gives CRIU and these libraries away, and owes them what the licences ask: for CRIU its source
as well, or an offer of it (section 3).
`;
}

const shown = (found: Package | undefined): string =>
  found === undefined ? "of no package that is known here" : `${found.name} ${found.version}`;

function sourceOf(found: Package | undefined, version: string | undefined): string {
  const upstream = `https://github.com/checkpoint-restore/criu/releases${version === undefined ? "" : `/tag/v${version}`}`;
  if (found === undefined)
    return `it is of no package that is known here; the release of this version is
${upstream}, if it was built of that without changes.`;
  return found.manager === "dpkg"
    ? `package ${found.name}, version ${found.version} (dpkg's database); of Debian
apt-get source ${found.name}=${found.version}, or https://snapshot.debian.org/package/${found.name}/`
    : `package ${found.name}, version ${found.version} (rpm's database): its source package (dnf download --source ${found.name})`;
}
