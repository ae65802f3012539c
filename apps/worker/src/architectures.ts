import type { TrainingRunSpec } from '@caricature/contracts';

export type Architecture = TrainingRunSpec['model']['architecture'];

export interface ArchitectureOutput {
  /** The networks that draw, one after another. */
  draws: string[];
  /** Those that were needed only to train them. */
  trainedWith: string[];
  /** For the model card. */
  description: string;
  networks: string;
}

const CYCLE = `CycleGAN (Zhu et al.: *Unpaired image-to-image translation using cycle-consistent adversarial networks*, ICCV 2017)`;

/** What the stage train leaves of each architecture. */
export const ARCHITECTURE_OUTPUTS: Record<Exclude<Architecture, 'Classifier'>, ArchitectureOutput> = {
  DTN: {
    draws: ['f', 'g'],
    trainedWith: ['D'],
    description: 'G = g∘f, a Domain Transfer Network (Taigman, Polyak, Wolf: *Unsupervised cross-domain image generation*, ICLR 2017)',
    networks: '`f/`: photo → features of the person · `g/`: features → avatar · `D/`: the ternary discriminator (needed only to train on)',
  },
  Pix2Pix: {
    draws: ['G'],
    trainedWith: ['D'],
    description: 'a U-Net trained on pairs, Pix2Pix (Isola et al.: *Image-to-image translation with conditional adversarial networks*, CVPR 2017)',
    networks: '`G/`: photo → avatar · `D/`: the patch discriminator of photo and avatar together (needed only to train on)',
  },
  CycleGAN: {
    draws: ['G'],
    trainedWith: ['F', 'D-avatar', 'D-photo'],
    description: `the generator of a ${CYCLE}`,
    networks: '`G/`: photo → avatar · `F/`: avatar → photo · `D-avatar/`, `D-photo/`: the patch discriminators (needed only to train on)',
  },
};

/** Throws for a Classifier, which draws nothing. */
export function outputOf(architecture: Architecture): ArchitectureOutput {
  if (architecture === 'Classifier') throw new Error('a Classifier draws nothing');
  return ARCHITECTURE_OUTPUTS[architecture];
}
