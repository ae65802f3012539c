import type { Random } from '@caricature/tensors';
import type { Initialization, LayerDescription } from './description.js';

const NORMAL_DEVIATION = 0.02;

/** First values of a parameter: kernels by Xavier (Glorot uniform) or N(0, 0.02), the rest constants. */
export function initialValues(parameter: string, shape: number[], layer: LayerDescription, how: Initialization, random: Random): Float32Array {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  if (parameter === 'gamma' || parameter === 'moving_variance') return values.fill(1);
  if (parameter !== 'kernel') return values;
  if (how === 'normal') return values.map(() => NORMAL_DEVIATION * random.normal());
  const area = layer.kind === 'dense' ? 1 : shape[0]! * shape[1]!;
  const [a, b] = shape.slice(-2) as [number, number];
  const limit = Math.sqrt(6 / (area * (a + b)));
  return values.map(() => random.between(-limit, limit));
}
