import type { StageName } from '@caricature/contracts';
import type { StageCommand } from '../stage.js';

/** Each stage's command, loaded only when it is run: a crawl needs no TensorFlow. */
export const COMMANDS: Record<StageName, StageCommand> = {
  discover: async (context) => (await import('./discover.js')).discover(context),
  crawl: async (context) => (await import('./crawl.js')).crawl(context),
  'prepare-faces': async (context) => (await import('./prepare-faces.js')).prepareFaces(context),
  'prepare-avatars': async (context) => (await import('./prepare-avatars.js')).prepareAvatars(context),
  pretrain: async (context) => (await import('./pretrain.js')).pretrain(context),
  train: async (context) => (await import('./train.js')).train(context),
  evaluate: async (context) => (await import('./evaluate.js')).evaluate(context),
  publish: async (context) => (await import('./publish.js')).publish(context),
};
