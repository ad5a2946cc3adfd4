/** The environment that CRIU gets: recriu's own without what steers the runtime recriu is built on. */
export function criuEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !/^(?:BUN|NODE)_/.test(name)) kept[name] = value;
  }
  return kept;
}
