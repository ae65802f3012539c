import { promises as fs } from 'node:fs';
import path from 'node:path';
import { tf, type LayersModel, type SymbolicTensor } from '../backend/tensorflow.js';
import { BATCH_NORM_EPSILON, joinedLayers, LEAKY_SLOPE, type LayerDescription, type NetworkDescription } from '../layers/description.js';
import { eachParameter, type NamedTensor, Network } from '../layers/network.js';
import { ModelError } from '../models.error.js';

/** The same network as a tf.layers model, with its weights copied: no custom layer, so a browser loads it. */
export function toLayersModel(network: Network): LayersModel {
  const { description } = network;
  const model = joinedLayers(description).size > 0 ? toGraph(description) : toSequence(description);
  for (const layer of model.layers) {
    const weights = layer.weights.map(({ originalName }) => network.parameters.get(originalName)!);
    if (weights.length > 0) layer.setWeights(weights);
  }
  return model;
}

function toSequence({ name, inputShape, layers }: NetworkDescription): LayersModel {
  const model = tf.sequential({ name });
  layers.forEach((layer, i) => model.add(toLayer(layer, i === 0 ? inputShape : undefined)));
  return model;
}

function toGraph({ name, inputShape, layers }: NetworkDescription): LayersModel {
  // A name of its own: the one that tf.input makes up counts the models of the process.
  const input = tf.input({ shape: inputShape, name: 'input' });
  const outputs = new Map<string, SymbolicTensor>();
  const last = layers.reduce((value, layer) => {
    const output = toLayer(layer).apply('with' in layer ? [value, outputs.get(layer.with)!] : value) as SymbolicTensor;
    outputs.set(layer.name, output);
    return output;
  }, input);
  return tf.model({ name, inputs: input, outputs: last });
}

/** Saves a network as `model.json` and `weights.bin` (TensorFlow.js layers format) into a folder; model.json is written last. */
export async function saveNetwork(network: Network, folder: string): Promise<void> {
  const model = toLayersModel(network);
  await model.save({
    save: async ({ weightSpecs, weightData, modelTopology }) => {
      const manifest = {
        format: 'layers-model',
        generatedBy: 'caricature',
        convertedBy: null,
        modelTopology,
        weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
        userDefinedMetadata: { caricature: network.description },
      };
      await fs.mkdir(folder, { recursive: true });
      await writeWhole(path.join(folder, 'weights.bin'), Buffer.from(weightData as ArrayBuffer));
      await writeWhole(path.join(folder, 'model.json'), Buffer.from(JSON.stringify(manifest)));
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    },
  });
  model.dispose();
}

/** Reads a network that `saveNetwork` wrote. Throws ModelError for anything else. */
export async function loadNetwork(folder: string): Promise<Network> {
  const [json, weights] = await Promise.all([fs.readFile(path.join(folder, 'model.json'), 'utf8'), fs.readFile(path.join(folder, 'weights.bin'))]).catch(() => {
    throw new ModelError(`${folder} holds no model (model.json and weights.bin)`);
  });
  const { userDefinedMetadata, weightsManifest } = JSON.parse(json) as SavedModel;
  const description = userDefinedMetadata?.caricature;
  if (!description) throw new ModelError(`${folder} holds a model that was not made here: it lacks the description of its layers`);
  const tensors = new Map<string, NamedTensor>();
  let offset = 0;
  for (const { name, shape } of weightsManifest[0]!.weights) {
    const length = shape.reduce((a, b) => a * b, 4);
    tensors.set(name, { shape, values: new Float32Array(new Uint8Array(weights.subarray(offset, offset + length)).buffer) });
    offset += length;
  }
  if (offset !== weights.length) throw new ModelError(`${folder}/weights.bin has ${weights.length} bytes, model.json says ${offset}: copy the model again`);
  checkTensors(description, tensors, folder);
  const network = Network.create(description, 'xavier', 0);
  network.restore(tensors);
  return network;
}

interface SavedModel {
  userDefinedMetadata?: { caricature?: NetworkDescription };
  weightsManifest: { weights: { name: string; shape: number[] }[] }[];
}

function checkTensors(description: NetworkDescription, tensors: Map<string, NamedTensor>, folder: string): void {
  eachParameter(description, (name, shape) => {
    const found = tensors.get(name)?.shape.join();
    if (found !== shape.join()) throw new ModelError(`${folder}: weight ${name} is [${found ?? 'missing'}], its layer needs [${shape.join()}]`);
  });
}

function toLayer(layer: LayerDescription, inputShape?: number[]) {
  const shared = { name: layer.name, ...(inputShape && { inputShape }) };
  switch (layer.kind) {
    case 'conv':
      return tf.layers.conv2d({ ...shared, filters: layer.filters, kernelSize: layer.kernel, strides: layer.stride, padding: 'same', useBias: layer.bias });
    case 'deconv':
      return tf.layers.conv2dTranspose({ ...shared, filters: layer.filters, kernelSize: layer.kernel, strides: layer.stride, padding: 'same', useBias: layer.bias });
    case 'dense':
      return tf.layers.dense({ ...shared, units: layer.units, useBias: layer.bias });
    case 'batchNorm':
      return tf.layers.batchNormalization({ ...shared, epsilon: BATCH_NORM_EPSILON });
    case 'activation':
      return layer.activation === 'leakyRelu' ? tf.layers.leakyReLU({ ...shared, alpha: LEAKY_SLOPE }) : tf.layers.activation({ ...shared, activation: layer.activation });
    case 'dropout':
      return tf.layers.dropout({ ...shared, rate: layer.rate });
    case 'reshape':
      return tf.layers.reshape({ ...shared, targetShape: layer.shape });
    case 'upsample':
      return tf.layers.upSampling2d({ ...shared, size: [2, 2] });
    case 'concat':
      return tf.layers.concatenate({ ...shared, axis: -1 });
    case 'add':
      return tf.layers.add(shared);
  }
}

async function writeWhole(file: string, bytes: Buffer): Promise<void> {
  await fs.writeFile(`${file}.partial`, bytes);
  await fs.rename(`${file}.partial`, file);
}
