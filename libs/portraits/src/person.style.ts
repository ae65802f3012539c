import { Random } from './random.js';

/** How one drawing simplifies a face: everything that two cartoons of the same person may differ in. Factors are of the person's own measures. */
export interface DrawingStyle {
  readonly eyes: 'lidded' | 'dots' | 'staring' | 'closed';
  readonly eyeSize: number;
  readonly browWeight: number;
  readonly browTilt: number; // degrees, inner ends down
  readonly nose: 'wings' | 'corner' | 'shadow';
  readonly smile: 'grin' | 'line' | 'laugh';
  readonly openMouth: 'round' | 'wide' | 'toothy';
  readonly mouthSize: number;
  readonly mouthBend: number; // of a serious mouth: 0 straight, 1 drooping
  readonly hairVolume: number;
  readonly hairLength: number;
  /** Hair left at the temples of a bald head. */
  readonly temples: boolean;
  readonly beardLength: number;
  readonly moustacheWidth: number;
  /** Undefined: the person's own frame. */
  readonly frame?: { readonly color: string; readonly weight: number; readonly lens: number; readonly roundness: number };
}

/** As a photo shows it. */
export const NATURAL: DrawingStyle = {
  eyes: 'lidded',
  eyeSize: 1,
  browWeight: 1,
  browTilt: 0,
  nose: 'wings',
  smile: 'grin',
  openMouth: 'round',
  mouthSize: 1,
  mouthBend: 0,
  hairVolume: 1,
  hairLength: 1,
  temples: false,
  beardLength: 1,
  moustacheWidth: 1,
};

/** A style by chance. None of it changes what a trait's value looks like to a person: dark lenses stay dark, an open mouth stays open. */
export function drawStyle(random: Random): DrawingStyle {
  return {
    eyes: random.pick(['lidded', 'lidded', 'dots', 'staring', 'closed'] as const),
    eyeSize: random.between(0.85, 1.45),
    browWeight: random.between(0.6, 1.6),
    browTilt: random.normal(0, 9),
    nose: random.pick(['wings', 'corner', 'shadow'] as const),
    smile: random.pick(['grin', 'line', 'laugh'] as const),
    openMouth: random.pick(['round', 'wide', 'toothy'] as const),
    mouthSize: random.between(0.9, 1.6),
    mouthBend: random.chance(0.5) ? 0 : random.between(0.3, 1),
    hairVolume: random.between(0.97, 1.4),
    hairLength: random.between(0.62, 1.1),
    temples: random.chance(0.5),
    beardLength: random.between(0.85, 1.3),
    moustacheWidth: random.between(0.85, 1.5),
    frame: {
      color: `hsl(${Math.round(random.between(0, 360))},${Math.round(random.between(0, 60))}%,${Math.round(random.between(8, 34))}%)`,
      weight: random.between(1.1, 2.6),
      lens: random.between(0.7, 0.98),
      roundness: random.between(0.25, 1),
    },
  };
}
