import { InferenceError } from '../inference.error.js';

/** A model as clients name it. */
export interface ModelName {
  name: string;
  alias: string;
}

const NAME = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:@([a-z0-9-]{1,63}))?$/;

/** `name@alias` or `name` (then with the default's alias) → its parts; the default when nothing is given. */
export function parseModelName(text: string | undefined, defaultModel: string): ModelName {
  const match = NAME.exec(text ?? defaultModel);
  if (!match?.[1]) {
    throw new InferenceError('InvalidRequest', 'model must be name@alias in lower-case letters, digits and dashes, such as faces@production.');
  }
  return { name: match[1], alias: match[2] ?? defaultModel.split('@')[1]! };
}

export function formatModelName({ name, alias }: ModelName): string {
  return `${name}@${alias}`;
}
