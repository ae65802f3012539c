const ACCURACY = /accuracy/i;
const OTHER = /(rate|seconds?|score|norm)$/i;
/** The inverse of the speed, which is shown. */
const HIDDEN = new Set(['step/seconds']);

/** Gathers series into the charts that they are read in: losses, accuracies, and the rest one by one. */
export function chartGroups(series) {
  const groups = new Map();
  for (const one of series.filter(({ name }) => !HIDDEN.has(name))) {
    const title = ACCURACY.test(one.name) ? 'accuracy' : OTHER.test(one.name) || !['pretrain', 'train'].includes(one.stage) ? one.name : 'losses';
    const id = `${one.stage} · ${title}`;
    groups.set(id, [...(groups.get(id) ?? []), { ...one, name: one.name.replace(/^(loss|accuracy)[./](?=.)/i, '') }]);
  }
  const weight = (id) => (id.startsWith('train ·') ? 0 : 2) + (id.endsWith('losses') ? 0 : id.endsWith('accuracy') ? 0.5 : 1);
  return [...groups].sort(([a], [b]) => weight(a) - weight(b) || a.localeCompare(b));
}

/** More than a chart is wide: a page that is left open for days grows no further. */
const MOST_POINTS = 3000;

/** Adds a report's values to the series that were read from the server. */
export function addPoints(series, { stage, step, values }) {
  for (const [name, avg] of Object.entries(values)) {
    let one = series.find((s) => s.stage === stage && s.name === name);
    if (!one) series.push((one = { stage, name, points: [] }));
    if ((one.points.at(-1)?.step ?? -1) < step) one.points.push({ step, avg });
    if (one.points.length > MOST_POINTS) one.points = one.points.filter((_point, index) => index % 2 === 1);
  }
}
