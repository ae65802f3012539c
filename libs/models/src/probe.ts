import { Random } from '@caricature/tensors';
import { findDevice, tf } from './backend/tensorflow.js';
import { oneHot, toTensor } from './images.js';
import { Network, trainableOf } from './layers/network.js';
import { crossEntropy } from './losses/dtn.losses.js';
import { describeExtractor, describeHead } from './networks.js';
import { Optimizer } from './optimizer/optimizer.js';
import { resolvePreset } from './presets.js';

export interface ProbeResult {
  device: ReturnType<typeof findDevice>;
  loss: number;
  /** Of the second step: the first loads kernels. */
  milliseconds: number;
}

const BATCH = 16;
const CLASSES = 4;

/** Trains a small f on noise for two steps: whether TensorFlow works on this machine, and where it computes. Throws what TensorFlow throws. */
export function probeTraining(): ProbeResult {
  const preset = resolvePreset('faces-32-test');
  const f = Network.create(describeExtractor(preset, 3), 'xavier', 1);
  const head = Network.create(describeHead(preset.f.featureSize, CLASSES), 'xavier', 2);
  const { optimizer: name, beta1, learningRate } = preset.classifier;
  const optimizer = new Optimizer({ name, beta1 }, trainableOf({ f, head }));
  const random = new Random(3);
  const pixels = Uint8Array.from({ length: BATCH * preset.imageSize ** 2 * 3 }, () => random.below(256));
  const labels = Array.from({ length: BATCH }, (_, i) => i % CLASSES);
  const step = () =>
    tf.tidy(() => {
      const images = toTensor(pixels, [preset.imageSize, preset.imageSize, 3]);
      const loss = optimizer.minimize(() => crossEntropy(head.apply(f.apply(images, { training: true })), oneHot(labels, CLASSES)), optimizer.begin(learningRate));
      return loss.dataSync()[0]!;
    });
  try {
    step();
    const started = performance.now();
    const loss = step();
    return { device: findDevice(), loss, milliseconds: performance.now() - started };
  } finally {
    for (const part of [f, head, optimizer]) part.dispose();
  }
}
