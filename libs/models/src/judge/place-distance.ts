/** A square grid over a picture: `GRID` × `GRID` cells, rows from the top. */
export const GRID = 16;

/** What a reader says of one feature: a probability a cell. */
export type Belief = ArrayLike<number>; // (GRID²)

/**
 * How far a reader believes a feature to be from a place, in shares of the picture's side: the expected distance under its probabilities, where the likeliest
 * cell and the eight about it count as one, at their centre of mass. So a clear reading is as exact as the centre of mass is, whatever the size of the
 * cells, and a reader that has not found the feature gets no better than a guess.
 */
export function expectedDistance(belief: Belief, [x, y]: readonly [number, number]): number {
  const likeliest = indexOfMaximum(belief);
  const [row, column] = [Math.floor(likeliest / GRID), likeliest % GRID];
  let distance = 0;
  let [mass, massX, massY] = [0, 0, 0];
  for (let cell = 0; cell < GRID * GRID; cell++) {
    const probability = belief[cell]!;
    const [r, c] = [Math.floor(cell / GRID), cell % GRID];
    const [cx, cy] = [(c + 0.5) / GRID, (r + 0.5) / GRID];
    if (Math.abs(r - row) > 1 || Math.abs(c - column) > 1) distance += probability * Math.hypot(cx - x, cy - y);
    else {
      mass += probability;
      massX += probability * cx;
      massY += probability * cy;
    }
  }
  return distance + mass * Math.hypot(massX / mass - x, massY / mass - y);
}

/** The belief whose centre of mass is a place: its four nearest cells share the probability. A place outside is moved to the edge. */
export function beliefOf([x, y]: readonly [number, number]): Float32Array {
  const belief = new Float32Array(GRID * GRID);
  const [left, rightShare] = between(x);
  const [top, lowerShare] = between(y);
  for (const [row, rowShare] of [[top, 1 - lowerShare], [top + 1, lowerShare]] as const) {
    for (const [column, columnShare] of [[left, 1 - rightShare], [left + 1, rightShare]] as const) {
      if (rowShare * columnShare > 0) belief[row * GRID + column]! += rowShare * columnShare;
    }
  }
  return belief;
}

/** The cell before a coordinate's and the share of the next one. */
function between(coordinate: number): [cell: number, nextShare: number] {
  const inCells = Math.min(GRID - 1, Math.max(0, coordinate * GRID - 0.5));
  return [Math.floor(inCells), inCells - Math.floor(inCells)];
}

function indexOfMaximum(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
