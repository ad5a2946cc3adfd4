/** A treemap: areas in proportion to values, each as near to a square as it goes (Bruls, Huizing, van Wijk 2000). */

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A part of `whole` for each value, in their order: values fall, and none is below 0. */
export function squares(values: readonly number[], whole: Rectangle): Rectangle[] {
  const placed: Rectangle[] = [];
  let [left, rest] = [values.reduce((sum, value) => sum + value, 0), whole];
  for (let at = 0; at < values.length;) {
    const short = Math.min(rest.width, rest.height);
    const scale = left === 0 ? 0 : (rest.width * rest.height) / left;
    let [row, sum] = [0, 0];
    let worst = Infinity;
    // A row grows as long as that makes its worst part no narrower.
    for (let end = at; end < values.length; end += 1) {
      const next = worstOf(values[at]!, values[end]!, sum + values[end]!, short, scale);
      if (next > worst) break;
      [worst, sum, row] = [next, sum + values[end]!, row + 1];
    }
    const deep = short === 0 ? 0 : (sum * scale) / short;
    let along = 0;
    for (const value of values.slice(at, at + row)) {
      const long = sum === 0 ? 0 : (value / sum) * short;
      placed.push(
        rest.width >= rest.height
          ? { x: rest.x, y: rest.y + along, width: deep, height: long }
          : { x: rest.x + along, y: rest.y, width: long, height: deep },
      );
      along += long;
    }
    rest =
      rest.width >= rest.height
        ? { ...rest, x: rest.x + deep, width: Math.max(0, rest.width - deep) }
        : { ...rest, y: rest.y + deep, height: Math.max(0, rest.height - deep) };
    left -= sum;
    at += row;
  }
  return placed;
}

/** Of a row with these parts, the largest ratio of two sides. */
function worstOf(most: number, least: number, sum: number, short: number, scale: number): number {
  const area = sum * scale;
  if (area === 0 || least === 0) return Infinity;
  const side = (short * short) / area;
  return Math.max((side * most) / sum, sum / (side * least));
}
