import { floatType, type OpAttribute, runKernel, tf, type Tensor } from './tensorflow.js';

/** Names no variable: TensorFlow then frees it with its handle. */
const ANONYMOUS = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347';

/** A float32 value that TensorFlow's kernels change in place, zeros at first. Only on the node backend. */
export class ResourceVariable {
  readonly handle: Tensor;

  constructor(readonly shape: number[]) {
    this.handle = tf.keep(
      runKernel('VarHandleOp', [], 1, (b) => [
        { name: 'container', type: b.TF_ATTR_STRING!, value: '' },
        { name: 'shared_name', type: b.TF_ATTR_STRING!, value: ANONYMOUS },
        { name: 'shape', type: b.TF_ATTR_SHAPE!, value: shape },
        floatType(b, 'dtype'),
      ])[0]!,
    );
    tf.tidy(() => this.assign(tf.zeros(shape)));
  }

  /** Takes the tensor's values; they are copied only when a kernel changes them. */
  assign(value: Tensor): void {
    runKernel('AssignVariableOp', [this.handle, value], 0, typed);
  }

  /** The values as they are now. */
  read(): Tensor {
    return runKernel('ReadVariableOp', [this.handle], 1, typed)[0]!;
  }

  dataSync(): Float32Array {
    return tf.tidy(() => this.read().dataSync() as Float32Array);
  }

  dispose(): void {
    this.handle.dispose();
  }
}

const typed = (binding: Record<string, number>): OpAttribute[] => [floatType(binding, 'dtype')];
