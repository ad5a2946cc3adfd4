/** What is computed once, by name: the same object whenever it is asked for. */
export function remembering(): <T>(name: string, compute: () => T) => T {
  const values = new Map<string, unknown>();
  return <T>(name: string, compute: () => T): T => {
    if (!values.has(name)) values.set(name, compute());
    return values.get(name) as T;
  };
}
