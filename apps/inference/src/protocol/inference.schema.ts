import { z } from 'zod';
import { InferenceError } from '../inference.error.js';

const DATATYPE = 'UINT8';

const tensor = z.object({
  name: z.string(),
  shape: z.array(z.int().min(0)),
  datatype: z.string(),
  parameters: z.record(z.string(), z.unknown()).default({}),
  data: z.array(z.unknown()).optional(),
});

/** An inference request of the Open Inference Protocol v2. */
const inferenceRequest = z.object({
  id: z.string().max(200).optional(),
  parameters: z.record(z.string(), z.unknown()).default({}),
  inputs: z.array(tensor),
  outputs: z.array(z.object({ name: z.string(), parameters: z.record(z.string(), z.unknown()).default({}) })).optional(),
});

export const INPUT_NAME = 'image';
export const OUTPUT_NAME = 'caricature';

export interface FaceTensor {
  id: string | undefined;
  /** (count, size, size, 3) */
  faces: Uint8Array;
  count: number;
  /** The answer's tensor comes as bytes after the JSON (the protocol's binary extension). */
  binaryOutput: boolean;
}

/**
 * Reads a request's body: JSON, or, when `jsonBytes` says where the JSON ends, JSON with the tensor's bytes after it.
 * Throws InferenceError `InvalidRequest` that says what to send.
 */
export function parseInferenceRequest(body: Buffer, jsonBytes: number, size: number, maxCount: number): FaceTensor {
  const request = parseJson(body.subarray(0, jsonBytes));
  const [input, ...others] = request.inputs;
  const wanted = `one input "${INPUT_NAME}", ${DATATYPE}, of shape [n,${size},${size},3] with n from 1 to ${maxCount}`;
  const [count = 0, ...shape] = input?.shape ?? [];
  const fits = input?.name === INPUT_NAME && input.datatype === DATATYPE && shape.join() === `${size},${size},3`;
  if (!fits || others.length > 0 || count < 1 || count > maxCount) throw invalid(`The model takes ${wanted}`);
  if (request.outputs?.some(({ name }) => name !== OUTPUT_NAME)) throw invalid(`The model gives one output, "${OUTPUT_NAME}"`);
  const faces = 'binary_data_size' in input.parameters ? body.subarray(jsonBytes) : toBytes(input.data ?? []);
  if (faces.length !== count * size * size * 3) {
    throw invalid(`The input's shape asks for ${count * size * size * 3} values, but ${faces.length} came`);
  }
  const binaryOutput = request.outputs?.[0]?.parameters['binary_data'] ?? request.parameters['binary_data_output'];
  return { id: request.id, faces, count, binaryOutput: binaryOutput === true };
}

function parseJson(json: Buffer): z.output<typeof inferenceRequest> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json.toString());
  } catch {
    throw invalid('The body is no JSON inference request');
  }
  const result = inferenceRequest.safeParse(parsed);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw invalid(`The inference request is wrong at ${issue.path.join('.') || 'its top'}: ${issue.message}`);
}

/** The protocol allows nested and flat lists. */
function toBytes(data: unknown[]): Uint8Array {
  const values = data.flat(Infinity);
  if (!values.every((value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255)) {
    throw invalid("The input's data must be whole numbers from 0 to 255");
  }
  return Uint8Array.from(values as number[]);
}

function invalid(what: string): InferenceError {
  return new InferenceError('InvalidRequest', `${what}.`);
}

/** How the model's input and output are described to clients. */
export function describeTensors(size: number): Record<'inputs' | 'outputs', object[]> {
  const shape = [-1, size, size, 3];
  return {
    inputs: [{ name: INPUT_NAME, datatype: DATATYPE, shape }],
    outputs: [{ name: OUTPUT_NAME, datatype: DATATYPE, shape }],
  };
}

/** The one output of an answer, with its data unless that follows as bytes. */
export function describeOutput(caricatures: Uint8Array, count: number, size: number, binary: boolean): object {
  const content = binary ? { parameters: { binary_data_size: caricatures.length } } : { data: [...caricatures] };
  return { name: OUTPUT_NAME, datatype: DATATYPE, shape: [count, size, size, 3], ...content };
}
