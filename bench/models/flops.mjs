// How many floating-point operations a training step's convolutions and dense layers need: a multiplication and an addition are two. Padding, which some
// implementations skip and some compute, is counted in; everything elementwise is left out.

/** @typedef {{inputShape: number[], layers: {kind: string, name: string}[]}} Description */

/**
 * Operations of a network's forward pass on one input, layer by layer.
 * @param {Description} description
 * @returns {number[]} of the layers that have any, in their order
 */
export function forwardFlops({ inputShape, layers }) {
  let shape = inputShape;
  const shapes = new Map();
  const flops = [];
  for (const layer of layers) {
    const { kind, kernel, stride, filters, units } = layer;
    const [height, width, channels] = shape;
    if (kind === 'conv') {
      shape = [Math.ceil(height / stride), Math.ceil(width / stride), filters];
      flops.push(2 * shape[0] * shape[1] * kernel * kernel * channels * filters);
    } else if (kind === 'deconv') {
      flops.push(2 * height * width * kernel * kernel * channels * filters);
      shape = [height * stride, width * stride, filters];
    } else if (kind === 'dense') {
      flops.push(2 * shape[0] * units);
      shape = [units];
    } else if (kind === 'upsample') shape = [height * 2, width * 2, channels];
    else if (kind === 'reshape') shape = layer.shape;
    else if (kind === 'concat') shape = [height, width, channels + shapes.get(layer.with)[2]];
    shapes.set(layer.name, shape);
  }
  return flops;
}

const sum = (values) => values.reduce((a, b) => a + b, 0);

/** Forward, the gradients by the weights, and those by every layer's input but the first's, which nobody asks for. */
function trained(description) {
  const [first, ...rest] = forwardFlops(description);
  return 2 * first + 3 * sum(rest);
}

/** Forward, and the gradient by the input through every layer: of a network that is not updated, but that what feeds it learns by. */
function seenThrough(description) {
  return 2 * sum(forwardFlops(description));
}

/**
 * Operations of one step of a case, as `ours.mjs` describes it.
 * @param {{network: string, batchSize: number, f: Description, g?: Description, D?: Description, head?: Description}} plan
 */
export function stepFlops({ network, batchSize, f, g, D, head }) {
  // f and its head are one network: the head's input gradient is asked for.
  if (network === 'classifier') return batchSize * (trained(f) + 3 * sum(forwardFlops(head)));
  // g on both domains; f, looked through, on the source's pictures; D on both kinds of picture and on the target's, once forward, and back for g's update and for its own.
  return batchSize * (2 * trained(g) + seenThrough(f) + 3 * (seenThrough(D) + trained(D) - sum(forwardFlops(D))));
}
