// TensorFlow reads its environment when it is loaded: quiet its start-up lines unless somebody asked for them.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
// By itself it uses oneDNN's kernels only on processors with instructions for neural networks (AVX-512 VNNI); on one with AVX2 alone they
// take a quarter off a training step as well.
process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';

/** What can compute, the fastest first: TensorFlow's own kernels, WebAssembly, plain JavaScript. */
export const BACKENDS = ['native', 'wasm', 'javascript'] as const;

export type BackendName = (typeof BACKENDS)[number];

/** `CARICATURE_COMPILE=off`: training steps call TensorFlow's kernels one by one, to see what each of them takes. */
export function isCompilingOff(value: string | undefined = process.env.CARICATURE_COMPILE): boolean {
  return value === 'off';
}

/** `CARICATURE_BACKEND`: what is to compute; undefined where it is not set, for the first that can be loaded. Throws an error that lists what there is. */
export function readBackendSetting(value: string | undefined = process.env.CARICATURE_BACKEND): BackendName | undefined {
  if (value === undefined || value === '') return undefined;
  const found = BACKENDS.find((name) => name === value);
  if (!found) throw new Error(`CARICATURE_BACKEND is ${JSON.stringify(value)}: it must be one of ${BACKENDS.join(', ')}, or unset for the fastest that this machine can load`);
  return found;
}
