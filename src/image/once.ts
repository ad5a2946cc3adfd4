/** What is computed once, by name: the same object whenever it is asked for. */
export function remembering(): <T>(name: string, compute: () => T) => T {
  const known = new Map<string, unknown>();
  return <T>(name: string, compute: () => T): T => {
    if (!known.has(name)) known.set(name, compute());
    return known.get(name) as T;
  };
}
