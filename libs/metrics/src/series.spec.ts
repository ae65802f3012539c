import { describe, expect, it } from 'vitest';
import { seriesOf } from './series.js';

describe('a reported series', () => {
  it.each([
    ['loss', { kind: 'loss', loss: 'loss' }],
    ['lossConst', { kind: 'loss', loss: 'const' }],
    ['loss.tid', { kind: 'loss', loss: 'tid' }],
    ['gan', { kind: 'loss', loss: 'gan' }],
    ['discriminatorLoss', { kind: 'loss', loss: 'discriminator' }],
    ['accuracy', { kind: 'accuracy', class: 'all' }],
    ['accuracyTarget', { kind: 'accuracy', class: 'target' }],
    ['discriminatorAccuracy.transferred', { kind: 'accuracy', class: 'transferred' }],
    ['accuracy/reconstructed', { kind: 'accuracy', class: 'reconstructed' }],
    ['step/seconds', { kind: 'stepSeconds' }],
    ['images/second', { kind: 'other' }],
    ['learningRate', { kind: 'other' }],
  ])('named %s is told apart', (name, expected) => {
    expect(seriesOf(name)).toEqual(expected);
  });
});
