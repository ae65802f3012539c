/** A template of the old API: the expression and the pose that the parameters' face is drawn in. */
export interface AvatarTemplate {
  readonly mouth: string;
  readonly eyes: string;
  /** Index in TRAITS.mouth. */
  readonly mouthTrait: number;
  readonly tiltDegrees: number;
}

const template = (mouth: string, mouthTrait: number, eyes: string, tiltDegrees = 0): AvatarTemplate => ({ mouth, eyes, mouthTrait, tiltDegrees });

export const AVATAR_TEMPLATES: Readonly<Record<string, AvatarTemplate>> = {
  smile: template('smile', 0, 'default'),
  laugh: template('smile', 0, 'happy'),
  calm: template('serious', 1, 'default'),
  stern: template('serious', 1, 'squint'),
  sad: template('sad', 1, 'default'),
  gasp: template('screamOpen', 2, 'surprised'),
  shout: template('screamOpen', 2, 'default'),
  wink: template('twinkle', 0, 'wink'),
  tilt_left: template('smile', 0, 'side', -8),
  tilt_right: template('serious', 1, 'side', 8),
};
