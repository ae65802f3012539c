import { tf, type Tensor } from './tensorflow.js';

/** An operation as TensorFlow.js records it. */
interface Recorded {
  inputs: Record<string, Tensor>;
  outputs: Tensor[];
  /** What its gradient needs. */
  saved?: Tensor[];
  /** One gradient by each input, which is computed when it is asked for. */
  gradient?: (dys: (Tensor | null)[]) => Record<string, () => Tensor>;
}

interface Recorder {
  activeTape: Recorded[] | undefined;
  /** Operations are recorded where this is above 0, and none of them is a part of another. */
  gradientDepth: number;
  kernelDepth: number;
}

export interface Gradients {
  value: Tensor;
  grads: (Tensor | undefined)[];
}

/**
 * The value of a scalar function and its gradients, as `tf.variableGrads` gives them. What an operation's gradient needed is freed as soon as that is
 * computed; TensorFlow.js frees it, and all gradients on the way, only at the end.
 * @param xs whatever has no influence on the value has no gradient
 */
export function gradients(f: () => Tensor, xs: Tensor[]): Gradients {
  return gradientsOfEach(() => [f()], [xs])[0]!;
}

/** As `gradients`, of several values that one forward pass gives, each by xs of its own. */
export function gradientsOfEach(f: () => Tensor[], xs: Tensor[][]): Gradients[] {
  const recorder = tf.engine().state as unknown as Recorder;
  const outer = { ...recorder };
  const tape: Recorded[] = [];
  try {
    return tf.tidy(() => {
      Object.assign(recorder, { activeTape: tape, gradientDepth: 1, kernelDepth: 0 });
      const values = tf.tidy(f);
      recorder.gradientDepth = 0;
      return values.map((value, i) => ({ value, grads: goBack(tape, value, xs[i]!, i === values.length - 1) }));
    });
  } finally {
    for (const { saved } of tape) free(saved);
    const { activeTape, gradientDepth, kernelDepth } = outer;
    Object.assign(recorder, { activeTape, gradientDepth, kernelDepth });
  }
}

/** @param last whether nobody goes back through the tape after this */
function goBack(tape: Recorded[], value: Tensor, xs: Tensor[], last: boolean): (Tensor | undefined)[] {
  const depending = dependingOn(xs, tape);
  const found = new Map<number, Tensor>([[value.id, tf.onesLike(value)]]);
  for (const operation of tape.toReversed()) {
    const dys = operation.outputs.map(({ id }) => found.get(id) ?? null);
    if (dys.some(Boolean)) addGradients(found, operation, dys, depending);
    if (last) free(operation.saved);
    operation.outputs.forEach(({ id }) => found.delete(id));
    free(dys);
  }
  return xs.map(({ id }) => found.get(id));
}

/** The tensors that the xs have an influence on, by their ids. */
function dependingOn(xs: Tensor[], tape: Recorded[]): Set<number> {
  const depending = new Set(xs.map(({ id }) => id));
  for (const { inputs, outputs } of tape) {
    if (Object.values(inputs).some(({ id }) => depending.has(id))) for (const { id } of outputs) depending.add(id);
  }
  return depending;
}

function addGradients(found: Map<number, Tensor>, { inputs, gradient, saved = [] }: Recorded, dys: (Tensor | null)[], depending: Set<number>): void {
  const wanted = Object.entries(inputs).filter(([, { id }]) => depending.has(id));
  if (wanted.length === 0) return;
  const parts = tf.tidy(() => {
    const byInput = gradient!(dys);
    return wanted.map(([name]) => {
      const part = byInput[name]!();
      // What it was made from is freed: a clone shares its values.
      return dys.includes(part) || saved.includes(part) ? part.clone() : part;
    });
  });
  wanted.forEach(([, { id }], i) => {
    const before = found.get(id);
    found.set(id, before ? before.add(parts[i]!) : parts[i]!);
    if (before) free([before, parts[i]!]);
  });
}

function free(tensors: (Tensor | null)[] = []): void {
  for (const tensor of tensors) tensor?.dispose();
}
