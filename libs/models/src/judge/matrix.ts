/** A square symmetric matrix, row by row. */
export interface SymmetricMatrix {
  size: number;
  values: Float64Array;
}

const SWEEPS = 30;

/** Eigenvalues and eigenvectors (columns of `vectors`) of a symmetric matrix, by Jacobi's rotations. */
export function eigenSymmetric({ size, values }: SymmetricMatrix): { eigenvalues: Float64Array; vectors: Float64Array } {
  const a = values.slice();
  const vectors = new Float64Array(size * size);
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1;
  for (let sweep = 0; sweep < SWEEPS && offDiagonal(a, size) > 1e-18 * norm(a); sweep++) {
    for (let p = 0; p < size - 1; p++) for (let q = p + 1; q < size; q++) rotate(a, vectors, size, p, q);
  }
  return { eigenvalues: Float64Array.from({ length: size }, (_, i) => a[i * size + i]!), vectors };
}

/** The symmetric square root of a positive semidefinite matrix. */
export function squareRoot(matrix: SymmetricMatrix): SymmetricMatrix {
  const { size } = matrix;
  const { eigenvalues, vectors } = eigenSymmetric(matrix);
  const values = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += vectors[i * size + k]! * vectors[j * size + k]! * Math.sqrt(Math.max(0, eigenvalues[k]!));
      values[i * size + j] = sum;
    }
  }
  return { size, values };
}

export function multiply(a: SymmetricMatrix, b: SymmetricMatrix): SymmetricMatrix {
  const { size } = a;
  const values = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const factor = a.values[i * size + k]!;
      for (let j = 0; j < size; j++) values[i * size + j]! += factor * b.values[k * size + j]!;
    }
  }
  return { size, values };
}

function rotate(a: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]!;
  if (apq === 0) return;
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q, c, s);
  for (let k = 0; k < n; k++) turn(a, p * n + k, q * n + k, c, s);
  for (let k = 0; k < n; k++) turn(vectors, k * n + p, k * n + q, c, s);
}

function turn(values: Float64Array, i: number, j: number, c: number, s: number): void {
  const x = values[i]!;
  const y = values[j]!;
  values[i] = c * x - s * y;
  values[j] = s * x + c * y;
}

function offDiagonal(a: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) if (i !== j) sum += a[i * n + j]! ** 2;
  return sum;
}

function norm(a: Float64Array): number {
  return a.reduce((sum, value) => sum + value * value, 0);
}
