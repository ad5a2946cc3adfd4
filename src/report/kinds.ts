/** The first items of each kind, and how many more there are: images can hold any number, and a hundred are more than anyone reads. */
export function firstOfEach<T>(
  items: readonly T[],
  kindOf: (item: T) => string,
  most: number,
): { first: T[]; more: [kind: string, count: number][] } {
  const kinds = [...Map.groupBy(items, kindOf)];
  return {
    first: kinds.flatMap(([, of]) => of.slice(0, most)),
    more: kinds.flatMap(([kind, { length }]) => (length > most ? [[kind, length - most]] : [])),
  };
}
