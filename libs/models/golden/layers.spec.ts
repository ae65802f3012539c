import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gradients } from '../src/backend/gradients.js';
import { LOADERS } from '../src/backend/loading.js';
import { BACKENDS } from '../src/backend/tensorflow.env.js';
import { tf } from '../src/backend/tensorflow.js';
import { DROPOUT_SEED, LAYER_CASES, STEP_CASES } from './testing/cases.js';
import { flat, Noise, readGolden, sizeOf } from './testing/noise.js';
import { expectClose } from './testing/closeness.js';

test('the arrays were made for these cases', async () => {
  await expect(`${JSON.stringify({ dropoutSeed: DROPOUT_SEED, layers: LAYER_CASES, steps: STEP_CASES }, null, 1)}\n`).toMatchFileSnapshot('cases.json');
});

describe.each(BACKENDS)('on the back end %s', (backend) => {
  beforeAll(async () => void (await LOADERS[backend]()));
  afterAll(async () => void (await LOADERS.native()));

  test.each(Object.entries(LAYER_CASES))('%s, its gradients and its running statistics are those of PyTorch', (name, { batch, training, ...description }) => {
    const noise = new Noise();
    const network = noise.network({ name, ...description });
    const x = tf.variable(noise.tensor([batch, ...description.inputShape]));
    const weights = noise.tensor([batch, ...network.outputShape]);
    const output = tf.tidy(() => network.apply(x, { training, dropoutSeed: DROPOUT_SEED, keepStatistics: true }));
    const variables = [x, ...network.trainable.values()];
    const { grads } = gradients(() => network.apply(x, { training, dropoutSeed: DROPOUT_SEED }).mul(weights).sum(), variables);
    const statistics = [...network.parameters.values()].filter((variable) => !variable.trainable).map((variable) => variable.dataSync());

    expect(output.shape).toEqual([batch, ...network.outputShape]);
    expectClose(flat([output.dataSync(), ...grads.map((grad) => grad!.dataSync()), ...statistics]), readGolden(`layers/${name}`), { output: output.size, 'gradient of the input': sizeOf(x.shape) });
  });
});
