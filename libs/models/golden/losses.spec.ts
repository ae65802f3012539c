import { afterAll, beforeAll, describe, test } from 'vitest';
import { gradients } from '../src/backend/gradients.js';
import { LOADERS } from '../src/backend/loading.js';
import { BACKENDS } from '../src/backend/tensorflow.env.js';
import type { Tensor, Tensor4D } from '../src/backend/tensorflow.js';
import { oneHot } from '../src/images.js';
import { absoluteError, fakeLoss, leastSquaresLoss, realLoss } from '../src/losses/adversarial.losses.js';
import { constancyLoss, crossEntropy, discriminatorLoss, generatorLoss, identityLoss, totalVariationLoss } from '../src/losses/dtn.losses.js';
import { expectClose } from './testing/closeness.js';
import { flat, Noise, readGolden } from './testing/noise.js';

/** A loss with the shapes of what it is differentiated by. */
type LossCase = [name: string, shapes: number[][], loss: (...inputs: Tensor[]) => Tensor];

const logits = [4, 3];
const images = [2, 4, 4, 3];
const patches = [2, 3, 3, 1];
const three = (loss: (logits: [Tensor, Tensor, Tensor]) => Tensor) => (...inputs: Tensor[]) => loss(inputs as [Tensor, Tensor, Tensor]);

const LOSSES: LossCase[] = [
  ['discriminator', [logits, logits, logits], three((l) => discriminatorLoss(l))],
  ['discriminator-smoothed', [logits, logits, logits], three((l) => discriminatorLoss(l, 0.2))],
  ['gang', [logits, logits], (a, b) => generatorLoss(a!, b!)],
  ['const', [[4, 5], [4, 5]], (a, b) => constancyLoss(a!, b!)],
  ['tid', [images, images], (a, b) => identityLoss(a!, b!)],
  ['tv', [images], (x) => totalVariationLoss(x as Tensor4D)],
  ['cross-entropy', [[4, 5]], (l) => crossEntropy(l!, oneHot([2, 0, -1, 4], 5))],
  ['real', [patches], (l) => realLoss(l!)],
  ['fake', [patches], (l) => fakeLoss(l!)],
  ['least-squares-real', [patches], (s) => leastSquaresLoss(s!, 1)],
  ['least-squares-fake', [patches], (s) => leastSquaresLoss(s!, 0)],
  ['absolute-error', [images, images], (a, b) => absoluteError(a!, b!)],
];

describe.each(BACKENDS)('on the back end %s', (backend) => {
  beforeAll(async () => void (await LOADERS[backend]()));
  afterAll(async () => void (await LOADERS.native()));

  test.each(LOSSES)('the loss %s and its gradients are those of PyTorch', (name, shapes, loss) => {
    const noise = new Noise();
    const inputs = shapes.map((shape) => noise.tensor(shape));
    const { value, grads } = gradients(() => loss(...inputs), inputs);
    expectClose(flat([value, ...grads].map((tensor) => tensor!.dataSync())), readGolden(`losses/${name}`), { value: 1 });
  });
});
