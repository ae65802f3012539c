// Where a step's time goes, by TensorFlow's kernels: the binding's calls are timed. On the CPU each returns when its kernel has computed.

const OTHER_CALLS = { createTensor: 'to TensorFlow', tensorDataSync: 'from TensorFlow' };

/**
 * Times every call of the native binding from now on.
 * @param {{binding: object}} backend the node backend
 * @returns {{take: () => Record<string, number>}} `take` gives the milliseconds by kernel since the last time
 */
export function watchKernels({ binding }) {
  let milliseconds = {};
  const timed = (method, nameOf) => {
    const original = binding[method];
    binding[method] = (...args) => {
      const start = performance.now();
      try {
        return original.apply(binding, args);
      } finally {
        const name = nameOf(args);
        milliseconds[name] = (milliseconds[name] ?? 0) + performance.now() - start;
      }
    };
  };
  timed('executeOp', ([kernel]) => kernel);
  for (const [method, name] of Object.entries(OTHER_CALLS)) timed(method, () => name);
  return {
    take() {
      const taken = milliseconds;
      milliseconds = {};
      return taken;
    },
  };
}
