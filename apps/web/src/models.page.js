import { getJson } from './api.js';
import { element, place } from './element.js';
import { age, number, words } from './format.js';

const REFRESH_MS = 5000;

/** The published models and what their versions scored. */
export function modelsPage(container, { every }) {
  every(REFRESH_MS, async () => {
    const { items } = await getJson('models');
    const models = await Promise.all(items.map(({ name }) => getJson(`models/${encodeURIComponent(name)}`)));
    if (models.length === 0) {
      place(container, element('section.panel.empty', {}, element('h1', {}, 'No model is published yet'), element('p.quiet', {}, 'A TrainingRun with spec.publish.model publishes one at its end.')));
      return;
    }
    place(container, ...models.map(modelPanel));
  });
}

function modelPanel(model) {
  const scoreNames = [...new Set(model.versions.flatMap(({ scores }) => Object.keys(scoresOf(scores))))].filter((n) => !n.endsWith('Chance')).slice(0, 6);
  const aliasesOf = (version) => Object.entries(model.aliases).filter(([, v]) => v === version).map(([alias]) => element('span.chip', {}, alias));
  return element('section.panel.flush', {},
    element('table', {},
      element('thead', {}, element('tr', {}, element('th', {}, model.name), element('th', {}, 'Aliases'), ...scoreNames.map((n) => element('th.right', {}, words(n))), element('th.right', {}, 'Published'))),
      element('tbody', {}, ...model.versions.map((row) => element('tr', {},
        element('td', {}, element('b', {}, `v${row.version}`), ' ', element('span.mono.quiet', {}, row.artifactDigest.slice(0, 12))),
        element('td', {}, ...aliasesOf(row.version).flatMap((chip) => [chip, ' '])),
        ...scoreNames.map((n) => element('td.right.numbers', {}, number(scoresOf(row.scores)[n]))),
        element('td.right.quiet.numbers', {}, `${age(row.createdAt)} ago`),
      ))),
    ),
  );
}

/** Numbers by name; a worker's metadata keeps them under `metrics`. */
function scoresOf(scores) {
  return Object.fromEntries(Object.entries(scores.metrics ?? scores).filter(([, value]) => typeof value === 'number'));
}
