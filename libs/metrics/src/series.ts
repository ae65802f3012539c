/** What a number that a worker reports by name stands for. */
export type SeriesKind = { kind: 'loss'; loss: string } | { kind: 'accuracy'; class: string } | { kind: 'stepSeconds' } | { kind: 'other' };

/** What training stages call the duration of a step and their speed. */
export const STEP_SECONDS = 'step/seconds';
export const IMAGES_PER_SECOND = 'images/second';

/**
 * Tells a reported series by its name: `step/seconds`; `accuracy/CLASS` or `…Accuracy` by class; rates, times and scores are no losses; whatever
 * else a training stage reports is one.
 */
export function seriesOf(name: string): SeriesKind {
  if (name === STEP_SECONDS) return { kind: 'stepSeconds' };
  const accuracy = /^(?:discriminator)?accuracy(?:[./_-]?(.+))?$/i.exec(name) ?? /^(.+?)[./_-]?accuracy$/i.exec(name);
  if (accuracy) return { kind: 'accuracy', class: lowerFirst(accuracy[1] ?? 'all') };
  if (/(rate|seconds?|score|norm|diversity)$/i.test(name)) return { kind: 'other' };
  return { kind: 'loss', loss: lowerFirst(name.replace(/^loss[./_-]?(?=.)/i, '').replace(/(?<=.)[./_-]?loss$/i, '')) };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
