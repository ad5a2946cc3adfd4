/** The first items of each kind, and how many more there are: images can hold any number, and a hundred are more than anyone reads. */
export function firstOfEach<T>(
  items: readonly T[],
  kindOf: (item: T) => string,
  most: number,
  countOf: (items: readonly T[]) => number,
): { first: T[]; more: [kind: string, count: number][] } {
  const kinds = [...Map.groupBy(items, kindOf)];
  return {
    first: kinds.flatMap(([, of]) => of.slice(0, most)),
    more: kinds.flatMap(([kind, of]) => {
      const left = countOf(of) - Math.min(of.length, most);
      return left > 0 ? [[kind, left]] : [];
    }),
  };
}
