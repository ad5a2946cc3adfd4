/** containerd's config.toml with a runtime `recriu` (containerd, docs/cri/config.md): added at its end, what is there stays. */

/** The CRI plugin's name by the version of the configuration file. */
export const criPlugins: Readonly<Record<string, string>> = {
  2: "io.containerd.grpc.v1.cri",
  3: "io.containerd.cri.v1.runtime",
};

/** The runtime that containerd has by itself, as long as a configuration names none: a table replaces all of them. */
const standard = `runtimes.runc]\n  runtime_type = "io.containerd.runc.v2"\n`;

export function withContainerdRuntime(
  now: string | undefined,
  runc: string,
): string | { problem: string } {
  const text = now ?? "version = 2\n";
  const config = parseToml(text);
  if (config === undefined) return { problem: "it cannot be read as TOML" };
  const version = String(config["version"] ?? 1);
  const plugin = criPlugins[version];
  if (plugin === undefined)
    return {
      problem: `its version is ${version}; recriu knows 2 and 3 (containerd config migrate)`,
    };
  const runtimes = memberOf(config, "plugins", plugin, "containerd", "runtimes");
  const named = Object.keys(runtimes ?? {});
  const table = `[plugins."${plugin}".containerd.`;
  const added = [
    ...(named.some((name) => name !== "recriu") ? [] : [`\n${table}${standard}`]),
    ...(named.includes("recriu")
      ? []
      : [
          `\n${table}runtimes.recriu]\n  runtime_type = "io.containerd.runc.v2"\n  ${table}runtimes.recriu.options]\n    BinaryName = "${runc}"\n`,
        ]),
  ];
  if (added.length === 0) return text;
  const end = text === "" || text.endsWith("\n") ? "" : "\n";
  const whole = `${text}${end}${added.join("")}`;
  // Of a table that is written in one line nothing can be added at the end.
  return parseToml(whole) === undefined
    ? {
        problem: `its runtimes cannot be added to at its end; add a table ${table}runtimes.recriu]`,
      }
    : whole;
}

export type Table = Readonly<Record<string, unknown>>;

export function parseToml(text: string): Table | undefined {
  try {
    return Bun.TOML.parse(text) as Table;
  } catch {
    return undefined;
  }
}

/** The table that these names lead to, if each is one. */
export function memberOf(table: unknown, ...names: readonly string[]): Table | undefined {
  const found = names.reduce<unknown>(
    (at, name) => (isTable(at) && Object.hasOwn(at, name) ? at[name] : undefined),
    table,
  );
  return isTable(found) ? found : undefined;
}

export const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);
