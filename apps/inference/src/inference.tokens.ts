/** Names under which what is no class is injected. */
export const INFERENCE_ENV = Symbol('InferenceEnv');
export const FACE_DETECTOR = Symbol('FaceDetector');
export const MODEL_REGISTRY = Symbol('ModelRegistry');
export const CARICATURIST_LOADER = Symbol('CaricaturistLoader');
