// Where a step's time goes, by TensorFlow's kernels: the binding's calls are timed. On the CPU each returns when its kernel has computed.

const OTHER_CALLS = { createTensor: 'to TensorFlow', tensorDataSync: 'from TensorFlow' };

/**
 * Times every call of the native binding from now on.
 * @param {{binding: object}} backend the node backend
 * @returns {{take: () => Record<string, number>}} `take` gives the milliseconds by kernel since the last time
 */
export function watchKernels(backend) {
  const { binding } = backend;
  // The binding's own properties cannot be written to.
  const watched = Object.fromEntries(Object.getOwnPropertyNames(binding).map((name) => [name, binding[name]]));
  backend.binding = watched;
  let milliseconds = {};
  const timed = (method, nameOf) => {
    watched[method] = (...args) => {
      const start = performance.now();
      try {
        return binding[method](...args);
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
