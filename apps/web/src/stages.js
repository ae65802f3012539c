import { element } from './element.js';
import { duration, number } from './format.js';
import { progressText, share } from './status.js';

const MARKS = { Succeeded: '✓', Failed: '!', Running: '•', Pending: '' };

/** The stages of a resource with their states, progress and messages. Written anew only when something changed. */
export function stageList(container, { status }, onLog) {
  const stages = status?.stages ?? [];
  const shown = JSON.stringify(stages);
  if (container.dataset.shown === shown) return;
  container.dataset.shown = shown;
  const list = element('ol.stages', {}, ...stages.map((stage) => item(stage, onLog)));
  container.replaceChildren(...(stages.length > 0 ? [element('section.panel.flush', {}, list)] : []));
}

function item(stage, onLog) {
  const { name, state, attempts, cached, message } = stage;
  return element('li', { 'data-state': state },
    element('span.mark', { 'aria-label': state }, MARKS[state]),
    element('span.name', {}, name),
    middle(stage),
    element('span.links', {}, cached && element('span.chip', { title: 'An earlier run made the same: nothing had to run' }, 'cached'), attempts > 1 && element('span.chip', {}, `attempt ${attempts}`),
      attempts > 0 && element('a', { href: location.hash, onclick: (event) => (event.preventDefault(), onLog(name, attempts)) }, 'Log')),
    message && element('span.message', {}, message),
  );
}

/** The scores of an evaluation have a panel of their own. */
const SCORED = new Set(['evaluate', 'publish']);

function middle({ name, state, progress, startTime, completionTime, metrics }) {
  if (state === 'Running') {
    return element('span.progress', {}, element('progress', { max: 1, value: share(progress), 'aria-label': 'progress' }), element('span.numbers', {}, progress ? progressText(progress) : 'starting'));
  }
  const took = startTime && completionTime ? duration((Date.parse(completionTime) - Date.parse(startTime)) / 1000) : '';
  const told = SCORED.has(name) ? [] : Object.entries(metrics ?? {}).slice(0, 4).map(([metric, value]) => `${metric} ${number(value)}`);
  return element('span.took.quiet.small.numbers', {}, [state === 'Pending' ? 'waiting' : took, ...told].filter(Boolean).join(' · '));
}
