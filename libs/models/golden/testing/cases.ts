import type { Activation, LayerDescription, NetworkDescription } from '../../src/layers/description.js';
import { foldBatchNorm, Network } from '../../src/layers/network.js';
import { describePatchDiscriminator, describeResidualGenerator, describeUNet } from '../../src/image-networks.js';
import { describeDiscriminator, describeExtractor, describeGenerator, describeHead } from '../../src/networks.js';
import { type ClassifierSettings, type DtnSettings, type Preset, resolvePreset } from '../../src/presets.js';
import type { CycleGanSettings, Pix2PixSettings } from '../../src/presets.image.js';
import type { SelectionSettings, TrainingSettings } from '../../src/settings.js';

/** A network of the layers that are looked at, applied once: its output, and the gradients of a weighted sum of the output. */
export interface LayerCase extends Omit<NetworkDescription, 'name'> {
  batch: number;
  training: boolean;
}

export const DROPOUT_SEED = 41;

const conv = (kernel: number, stride: number, filters: number, bias = true): LayerDescription => ({ kind: 'conv', name: 'conv', kernel, stride, filters, bias });
const deconv = (kernel: number): LayerDescription => ({ kind: 'deconv', name: 'deconv', kernel, stride: 2, filters: 2, bias: true });
const activation = (kind: Activation): LayerCase => layers([5, 5, 2], { kind: 'activation', name: 'activation', activation: kind });
const joined = (kind: 'concat' | 'add'): LayerCase => layers([4, 4, 2], conv(1, 1, 3), { ...conv(3, 1, 3), name: 'after' }, { kind, name: 'joined', with: 'conv' });
const batchNorm: LayerDescription = { kind: 'batchNorm', name: 'norm' };

function layers(inputShape: number[], ...list: LayerDescription[]): LayerCase {
  return { inputShape, layers: list, batch: 4, training: true };
}

export const LAYER_CASES: Record<string, LayerCase> = {
  'conv3-stride2': layers([6, 6, 3], conv(3, 2, 4)),
  'conv4-stride2': layers([6, 6, 3], conv(4, 2, 4, false)),
  'conv5-stride2-odd': layers([7, 7, 2], conv(5, 2, 3)),
  'conv4-stride1': layers([5, 5, 2], conv(4, 1, 3)),
  'conv7-stride1': layers([8, 8, 2], conv(7, 1, 2)),
  'conv1-stride1': layers([4, 4, 5], conv(1, 1, 3)),
  deconv4: layers([3, 3, 4], deconv(4)),
  deconv5: layers([3, 4, 4], deconv(5)),
  dense: layers([7], { kind: 'dense', name: 'dense', units: 5, bias: true }),
  flatten: layers([3, 2, 4], { kind: 'reshape', name: 'flatten', shape: [24] }, { kind: 'dense', name: 'dense', units: 3, bias: false }),
  'batch-norm': layers([4, 4, 3], batchNorm),
  'batch-norm-inference': { ...layers([4, 4, 3], batchNorm), training: false },
  'batch-norm-dense': layers([6], batchNorm),
  'batch-norm-dense-inference': { ...layers([6], batchNorm), training: false },
  relu: activation('relu'),
  'leaky-relu': activation('leakyRelu'),
  tanh: activation('tanh'),
  dropout: layers([5, 5, 3], { kind: 'dropout', name: 'dropout', rate: 0.3 }),
  upsample: layers([3, 3, 2], { kind: 'upsample', name: 'upsample' }),
  concat: joined('concat'),
  add: joined('add'),
};

/** Steps of training from the same weights on the same images; a batch is never drawn twice. */
export interface StepCase<Settings extends TrainingSettings = TrainingSettings> {
  /** [H, W, C]. */
  shape: [number, number, number];
  labels: number;
  seed: number;
  settings: Settings;
  networks: Record<string, NetworkDescription>;
}

const SIZE = 16;
const LABELS = 3;
const FEATURES = 8;
const preset: Preset = {
  ...resolvePreset('faces-32-test', { imageSize: SIZE }),
  f: { width: 4, levels: 2, featureSize: FEATURES, augmentation: 'none' },
  // As the report has them: 1×1 convolutions, half of g's values dropped.
  g: { width: 4, doublings: 2, kernel: 4, dropout: 0.5, pointwise: true, upsampling: 'deconv' },
  d: { width: 4, levels: 2, kernel: 5, pointwise: true },
  image: { width: 2, levels: 3, blocks: 1, dropout: 0.5, patchWidth: 2 },
};

const training: TrainingSettings = { steps: 3, batchSize: 4, learningRate: 2e-3, optimizer: 'Adam', beta1: 0.5, schedule: 'constant' };
const never: SelectionSettings = { keep: 'last', everySteps: 1_000, weights: {} };
const classifier: ClassifierSettings = { ...training, validationShare: 0, selection: never };
const dtn: DtnSettings = {
  ...training,
  weights: { gan: 1, const: 4, tid: 10, tv: 2 },
  labelSmoothing: 0.1,
  discriminatorRate: 0.5,
  shift: 0,
  adaptation: 'none',
  averageDecay: 0.9,
  naming: 0.7,
  selection: never,
};
const pix2pix: Pix2PixSettings = { ...training, weights: { gan: 1, l1: 10 }, averageDecay: 0.9, selection: never };
const cyclegan: CycleGanSettings = { ...training, batchSize: 2, weights: { gan: 1, cycle: 10, identity: 5 }, averageDecay: 0.9, poolSize: 50, selection: never };

const f = describeExtractor(preset, 3);
const head = describeHead(FEATURES, LABELS);
/** f as the DTN uses it: batch norm folded into its weights. */
const folded = foldBatchNorm(Network.create(f, 'xavier', 1)).description;
const g = describeGenerator(preset, 3);
const D = describeDiscriminator(preset, 3);
const patches = (name: string, channels: number) => describePatchDiscriminator(name, preset, channels);
const residual = (name: string) => describeResidualGenerator(name, preset, 3);

function steps<Settings extends TrainingSettings>(settings: Settings, networks: Record<string, NetworkDescription>): StepCase<Settings> {
  return { shape: [SIZE, SIZE, 3], labels: LABELS, seed: 5, settings, networks };
}

export const STEP_CASES = {
  classifier: steps(classifier, { f, head }),
  'classifier-sgd': steps({ ...classifier, optimizer: 'SGD', learningRate: 0.05 } as ClassifierSettings, { f, head }),
  'classifier-momentum': steps({ ...classifier, optimizer: 'Momentum', beta1: 0.9, learningRate: 0.02 } as ClassifierSettings, { f, head }),
  dtn: steps(dtn, { f: folded, g, D }),
  'dtn-joint': steps(dtn, { f: folded, head, g, D }),
  pix2pix: steps(pix2pix, { G: describeUNet(preset, 3), D: patches('D', 6) }),
  cyclegan: steps(cyclegan, { G: residual('G'), F: residual('F'), 'D-avatar': patches('D-avatar', 3), 'D-photo': patches('D-photo', 3) }),
};
