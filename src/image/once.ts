/** What is computed once, by name: the same object whenever it is asked for. */
export function remembering(): <T>(name: string, compute: () => T) => T {
  const values = new Map<string, unknown>();
  return <T>(name: string, compute: () => T): T => {
    if (!values.has(name)) values.set(name, compute());
    return values.get(name) as T;
  };
}

/** A function whose value for an object is computed once, and kept as long as that object is. */
export function oncePer<K extends object, T>(compute: (of: K) => T): (of: K) => T {
  const values = new WeakMap<K, { is: T }>();
  return (of) => {
    let value = values.get(of);
    if (value === undefined) values.set(of, (value = { is: compute(of) }));
    return value.is;
  };
}
