/** Programs, plugins and configuration that the restore runs or obeys, and that another user could put his own in. */
import type { Check, Context, Problem, Severity } from "../finding.ts";
import { plugins } from "./plugins.ts";

/** What the restore will take, and what for. `named`: the caller chose it, and it is his word that counts. */
interface Taken {
  path: string;
  as: string;
  named: boolean;
}

export const writableByOthers: Check = {
  title: "Others can change what the restore runs or obeys",
  reads:
    "owner and mode of CRIU, of action scripts, plugins, CRIU's configuration files and the programs that CRIU starts, and of every directory and link on the way to each",
  why:
    "The restore runs as its caller, most often as root. A program or a file of options that another user owns, or may write to, or can exchange in a " +
    "directory on the way, is that user's way to do as he likes. recriu does not take such a CRIU from PATH. What the caller named himself is his " +
    "own word, and a warning; plugins that were not named are loaded all the same, and block. Users that count as others are all but root and the caller.",
  proof: "harm",
  run(context) {
    const { host, passed = [] } = context;
    const found = (severity: Severity, subject: string, message: string): Problem => ({
      severity,
      image: "",
      subject,
      message,
      remedy: {
        kind: "human",
        text: "give what is named to root and take the right to write from others, or use another",
      },
    });
    return [
      ...passed.map((words) => found("warning", "criu", words)),
      ...taken(context).flatMap(({ path, as, named }) => {
        const how = host.changeable(path);
        return how === undefined
          ? []
          : [found(named ? "warning" : "blocker", path, `${path}, ${as}: ${how}`)];
      }),
    ];
  },
};

function taken(context: Context): Taken[] {
  const { criu, host, request } = context;
  const programs = (names: readonly string[], as: string): Taken[] =>
    names.flatMap((name) => {
      const path = host.program(name);
      return path === undefined ? [] : { path, as, named: true };
    });
  const { directory, files } = plugins(context) ?? { directory: undefined, files: [] };
  return [
    ...programs(criu === undefined ? [] : [criu.path], "which is to restore"),
    ...programs(request.actionScripts, "which CRIU runs as an action script"),
    ...programs(request.execCmd?.slice(0, 1) ?? [], "which CRIU becomes"),
    ...programs(startedBy(context), "which CRIU starts"),
    ...request.configFiles.map((path) => ({
      path,
      as: "which CRIU has options from",
      named: true,
    })),
    ...[directory, ...files.map((name) => `${directory}/${name}`)].flatMap((path) =>
      path === undefined
        ? []
        : { path, as: "which CRIU loads plugins from", named: request.libdir !== undefined },
    ),
  ];
}

/** Programs that CRIU finds by PATH: for the network, and to fill a tmpfs. */
function startedBy({ checkpoint, host, namespaces }: Context): string[] {
  const network = [host.variable("CR_IP_TOOL") ?? "ip", "iptables-restore", "ip6tables-restore"];
  const tmpfs = [...checkpoint.files].some((file) => file.startsWith("tmpfs-"));
  return [...(namespaces.created.net ? network : []), ...(tmpfs ? ["tar"] : [])];
}
