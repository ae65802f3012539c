import { element } from './element.js';
import { number, words } from './format.js';

/** Scores that are shares: drawn from 0 to 1, with chance where it is known. The others are shown as numbers. */
const SHARES = new Set(['traitAgreement', 'labelPreservation', 'identityTop1', 'identityTop5', 'diversity']);
/** In the order of how much they say. */
const ORDER = ['traitAgreement', 'labelPreservation', 'identityTop1', 'identityTop5', 'frechetDistance', 'diversity', 'positionError', 'positionErrorPhoto', 'positionErrorAvatar', 'tidError'];
const LOWER_IS_BETTER = new Set(['frechetDistance', 'positionError', 'positionReaderError', 'tidError']);

/** @param traits `{glasses: {agreement, chance}, …}` where the true traits are known */
export function scoresPanel(metrics, traits, links) {
  const rank = (name) => (ORDER.indexOf(name) + ORDER.length + 1) % (ORDER.length + 1);
  // Traits have bars of their own below.
  const hasBar = (name) => name.startsWith('trait/') && name.slice('trait/'.length) in (traits ?? {});
  const names = Object.keys(metrics).filter((name) => !name.endsWith('Chance') && !hasBar(name)).sort((a, b) => rank(a) - rank(b));
  if (names.length === 0) return undefined;
  return element('section.panel', {},
    element('div.toolbar', {}, element('h2', {}, 'Scores'), links),
    element('div.scores', {}, ...names.map((name) => score(name, metrics[name], metrics[`${name}Chance`]))),
    traitList(Object.entries(traits ?? {})),
  );
}

function traitList(traits) {
  if (traits.length === 0) return undefined;
  return element('div.traits', {}, ...traits.flatMap(([name, { agreement, chance }]) => [element('span', {}, words(name)), track(agreement, chance), element('span.numbers', {}, percent(agreement))]));
}

function score(name, value, chance) {
  const isShare = SHARES.has(name) && value >= 0 && value <= 1;
  const note = chance !== undefined ? `chance ${isShare ? percent(chance) : number(chance)}` : LOWER_IS_BETTER.has(name) ? 'lower is better' : '';
  return element('div.score', {},
    element('span.small.quiet', {}, words(name)),
    element('b', {}, isShare && name !== 'diversity' ? percent(value) : number(value)),
    isShare ? track(value, chance) : undefined,
    element('span.small.quiet', {}, note),
  );
}

/** 0.125 → `12.5 %` */
const percent = (share) => `${(share * 100).toFixed(1)} %`;

/** An SVG, as the page's policy allows no style attributes. */
function track(value, chance) {
  const svg = (tag, attributes, ...children) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [key, each] of Object.entries(attributes)) node.setAttribute(key, each);
    node.append(...children);
    return node;
  };
  const bar = svg('rect', { x: 0, y: 2, width: `${value * 100}%`, height: 6, rx: 3, class: 'bar-value' });
  const mark = chance === undefined ? [] : [svg('rect', { x: `${chance * 100}%`, y: 0, width: 2, height: 10, class: 'bar-chance' })];
  return element('div.track', {}, svg('svg', { 'aria-hidden': 'true' }, bar, ...mark));
}
