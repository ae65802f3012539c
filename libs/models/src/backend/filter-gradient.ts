import type * as TensorFlow from '@tensorflow/tfjs';

type Tensor4D = TensorFlow.Tensor4D;
type ConvolutionInfo = ReturnType<typeof TensorFlow.backend_util.computeConv2DInfo>;

interface Attributes {
  strides: [number, number] | number;
  pad: 'valid' | 'same' | number;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
  filterShape: [number, number, number, number];
}

/**
 * Gives a back end the one kernel that training needs and WebAssembly lacks: a convolution's gradient by its filter, composed of matrix products. Without it
 * that back end could draw but not learn.
 */
export function registerFilterGradient(tf: typeof TensorFlow, backendName: string): void {
  if (tf.getKernel('Conv2DBackpropFilter', backendName)) return;
  tf.registerKernel({
    kernelName: 'Conv2DBackpropFilter',
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      // Called by an operation's gradient, a kernel is given whole tensors.
      const { x, dy } = inputs as unknown as { x: Tensor4D; dy: Tensor4D };
      const { filterShape, strides, pad, dimRoundingMode } = attrs as unknown as Attributes;
      const info = tf.backend_util.computeConv2DInfo([...x.shape] as [number, number, number, number], filterShape, strides, 1, pad, dimRoundingMode);
      return tf.tidy(() => filterGradient(tf, x, dy, info));
    },
  });
}

/**
 * For each place of the filter, the product of the inputs under it with the outputs' gradients: Σ over batch and places of x ⊗ dy.
 * @param x [B, H, W, I] @param dy [B, h, w, O] @returns [kernel height, kernel width, I, O]
 */
function filterGradient(tf: typeof TensorFlow, x: Tensor4D, dy: Tensor4D, info: ConvolutionInfo): Tensor4D {
  const { batchSize, outHeight, outWidth, inChannels, outChannels, filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info;
  const padded = tf.pad(x, [[0, 0], [padInfo.top, padInfo.bottom], [padInfo.left, padInfo.right], [0, 0]]);
  const gradients = tf.reshape(dy, [batchSize * outHeight * outWidth, outChannels]);
  const products: TensorFlow.Tensor[] = [];
  for (let row = 0; row < filterHeight; row++) {
    for (let column = 0; column < filterWidth; column++) {
      const end = [batchSize, row + (outHeight - 1) * strideHeight + 1, column + (outWidth - 1) * strideWidth + 1, inChannels];
      const under = tf.stridedSlice(padded, [0, row, column, 0], end, [1, strideHeight, strideWidth, 1]);
      // Turned before, not by matMul's flag: WebAssembly multiplies turned matrices by a slow loop.
      products.push(tf.matMul(tf.transpose(tf.reshape(under, [batchSize * outHeight * outWidth, inChannels])), gradients));
    }
  }
  return tf.reshape(tf.stack(products), [filterHeight, filterWidth, inChannels, outChannels]);
}
