import { type Binding, floatType, type OpAttribute, runKernel, tf, type Tensor } from './tensorflow.js';

/** Names no variable: TensorFlow then frees it with its handle. */
const ANONYMOUS = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347';

/** A float32 value of any shape that TensorFlow's kernels change in place. Only on the node backend. */
export class ResourceVariable {
  readonly handle: Tensor;

  constructor() {
    this.handle = tf.keep(
      runKernel('VarHandleOp', [], 1, (b) => [
        { name: 'container', type: b.TF_ATTR_STRING!, value: '' },
        { name: 'shared_name', type: b.TF_ATTR_STRING!, value: ANONYMOUS },
        { name: 'shape', type: b.TF_ATTR_SHAPE!, value: [] },
        floatType(b, 'dtype'),
      ])[0]!,
    );
  }

  /** Takes the tensor's values; they are copied only when a kernel changes them. */
  assign(value: Tensor): void {
    runKernel('AssignVariableOp', [this.handle, value], 0, typed);
  }

  /** The values as they are now. */
  read(): Tensor {
    return runKernel('ReadVariableOp', [this.handle], 1, typed)[0]!;
  }

  dispose(): void {
    this.handle.dispose();
  }
}

const typed = (binding: Binding): OpAttribute[] => [floatType(binding, 'dtype')];
