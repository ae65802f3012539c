import { Random } from '@caricature/tensors';
import { tf, type Tensor } from '../backend/tensorflow.js';
import type { Stateful } from '../checkpoint/stateful.js';
import type { NamedTensor } from '../layers/network.js';

/**
 * Keeps the last pictures of a generator, so that its discriminator is also shown what it drew some time ago (Shrivastava et al., 2017): half of
 * each batch is exchanged for kept ones once the pool is full.
 */
export class ImagePool implements Stateful {
  private readonly images: Float32Array[] = [];

  constructor(
    private readonly size: number,
    /** [H, W, C]. */
    private readonly shape: [number, number, number],
  ) {}

  /**
   * @param pictures [B, H, W, C]
   * @param random names the choice: the same for the same step
   * @returns [B, H, W, C], of this batch and earlier ones
   */
  exchange(pictures: Tensor, random: Random): Tensor {
    if (this.size === 0) return pictures;
    const values = pictures.dataSync().slice() as Float32Array;
    const length = values.length / pictures.shape[0]!;
    for (let start = 0; start < values.length; start += length) {
      const picture = values.slice(start, start + length);
      if (this.images.length < this.size) this.images.push(picture);
      else if (random.uniform() < 0.5) {
        const place = random.below(this.size);
        values.set(this.images[place]!, start);
        this.images[place] = picture;
      }
    }
    return tf.tensor(values, pictures.shape);
  }

  snapshot(): { tensors: Map<string, NamedTensor> } {
    return { tensors: new Map(this.images.map((values, i) => [String(i), { shape: [...this.shape], values }])) };
  }

  restore(tensors: Map<string, NamedTensor>): void {
    this.images.splice(0, this.images.length, ...[...tensors.values()].map(({ values }) => values));
  }
}
