import { Random } from './random.js';

/** How one drawing simplifies a face: everything that two cartoons of the same person may differ in. Factors are of the person's own measures. */
export interface DrawingStyle {
  readonly eyes: 'lidded' | 'dots' | 'staring' | 'closed';
  readonly eyeSize: number;
  readonly eyesApart: number;
  readonly browWeight: number;
  readonly browTilt: number; // degrees, inner ends down
  readonly nose: 'wings' | 'corner' | 'shadow';
  readonly smile: 'grin' | 'line' | 'laugh';
  readonly openMouth: 'round' | 'wide' | 'toothy';
  readonly mouthSize: number;
  readonly mouthBend: number; // of a serious mouth: 0 straight, 1 drooping
  readonly hairVolume: number;
  readonly hairLength: number;
  /** How far down the forehead hair reaches: 0 as it grows, 1 a fringe to the brows. */
  readonly fringe: number;
  readonly hairEdge: 'smooth' | 'spiky' | 'wavy';
  readonly curls: 'rings' | 'cloud';
  /** Hair left at the temples of a bald head. */
  readonly temples: boolean;
  readonly beardLength: number;
  /** Of the mouth's opening in a beard: 0 hair up to the lips, 1 bare skin around them. */
  readonly bareLips: number;
  readonly moustacheWidth: number;
  /** Undefined: the person's own frame. */
  readonly lensTint: number; // opacity of clear lenses
  readonly lensShine: boolean;
  readonly collar: boolean;
  readonly frame?: { readonly color: string; readonly weight: number; readonly lens: number; readonly roundness: number; readonly dark: string };
}

/** As a photo shows it. */
export const NATURAL: DrawingStyle = {
  eyes: 'lidded',
  eyeSize: 1,
  eyesApart: 1,
  browWeight: 1,
  browTilt: 0,
  nose: 'wings',
  smile: 'grin',
  openMouth: 'round',
  mouthSize: 1,
  mouthBend: 0,
  hairVolume: 1,
  hairLength: 1,
  fringe: 0,
  hairEdge: 'smooth',
  curls: 'rings',
  temples: false,
  beardLength: 1,
  bareLips: 0,
  moustacheWidth: 1,
  lensTint: 0.16,
  lensShine: true,
  collar: false,
};

/** A style by chance. None of it changes what a trait's value looks like to a person: dark lenses stay dark, an open mouth stays open. */
export function drawStyle(random: Random): DrawingStyle {
  return {
    eyes: random.pick(['lidded', 'lidded', 'dots', 'staring', 'closed'] as const),
    eyeSize: random.between(0.85, 1.45),
    eyesApart: random.between(0.85, 1.15),
    browWeight: random.between(0.6, 1.6),
    browTilt: random.normal(0, 9),
    nose: random.pick(['wings', 'corner', 'shadow'] as const),
    smile: random.pick(['grin', 'line', 'laugh'] as const),
    openMouth: random.pick(['round', 'wide', 'toothy'] as const),
    mouthSize: random.between(0.8, 1.7),
    mouthBend: random.chance(0.5) ? 0 : random.between(0.3, 1),
    hairVolume: random.between(0.9, 1.5),
    hairLength: random.between(0.62, 1.1),
    fringe: random.chance(0.5) ? 0 : random.between(0, 1),
    hairEdge: random.pick(['smooth', 'smooth', 'spiky', 'wavy'] as const),
    curls: random.pick(['rings', 'cloud'] as const),
    temples: random.chance(0.5),
    beardLength: random.between(0.8, 1.55),
    bareLips: random.chance(0.5) ? 0 : random.between(0.5, 1),
    moustacheWidth: random.between(0.85, 1.8),
    lensTint: random.between(0, 0.4),
    lensShine: random.chance(0.5),
    collar: random.chance(0.5),
    frame: {
      color: `hsl(${Math.round(random.between(0, 360))},${Math.round(random.between(0, 60))}%,${Math.round(random.between(8, 42))}%)`,
      weight: random.between(1.1, 2.6),
      lens: random.between(0.7, 0.98),
      roundness: random.between(0.25, 1),
      dark: `hsl(${Math.round(random.between(0, 360))},${Math.round(random.between(0, 50))}%,${Math.round(random.between(4, 26))}%)`,
    },
  };
}
