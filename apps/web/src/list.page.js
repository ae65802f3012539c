import { getJson } from './api.js';
import { element, place } from './element.js';
import { age, duration, number } from './format.js';
import { currentStage, phaseBadge, phaseOf, progressText, reasonOf, stageSegments } from './status.js';

const SECTIONS = [['TrainingRun', 'Training runs'], ['CrawlJob', 'Crawl jobs']];
const REFRESH_MS = 2000;

/** Every resource with how far it is. */
export function listPage(container, { every }) {
  every(REFRESH_MS, async () => {
    const { items } = await getJson('resources');
    if (items.length === 0) place(container, emptyState());
    else place(container, ...SECTIONS.flatMap(([kind, title]) => section(title, items.filter((r) => r.kind === kind))));
  });
}

function section(title, resources) {
  if (resources.length === 0) return [];
  const newestFirst = resources.toSorted((a, b) => b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp));
  return [element('h2', {}, title), element('div.list', {}, ...newestFirst.map(row))];
}

function row(resource) {
  const { kind, metadata: { namespace, name, creationTimestamp } } = resource;
  const stage = currentStage(resource);
  const eta = phaseOf(resource) === 'Running' ? stage?.progress?.etaSeconds : undefined;
  return element('a.row', { href: `#/${kind}/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}` },
    element('div', {}, element('div.name', {}, name), element('div.quiet.small', {}, subtitle(resource))),
    phaseBadge(resource),
    element('div.work', {}, stageSegments(resource.status?.stages ?? []), element('div.quiet.small.numbers', {}, workText(resource, stage))),
    element('div.right.eta.small.numbers', { title: 'time left' }, eta ? `${duration(eta)} left` : ''),
    element('div.right.age.small.quiet.numbers', { title: creationTimestamp }, `${age(creationTimestamp)} ago`),
  );
}

function subtitle({ kind, metadata, spec, status }) {
  const where = metadata.namespace === 'default' ? '' : `${metadata.namespace} · `;
  if (kind === 'CrawlJob') return `${where}${spec.source.library} · ${number(spec.sampling.count)} avatars`;
  return `${where}${spec.model.architecture} · ${status?.model ? `${status.model.name} v${status.model.version}` : spec.model.preset}`;
}

function workText(resource, stage) {
  if (!stage || phaseOf(resource) !== 'Running') return firstLine(reasonOf(resource)) || (stage ? stage.name : 'waiting');
  return stage.progress ? `${stage.name} · ${progressText(stage.progress, false)}` : `${stage.name} · starting`;
}

function firstLine(text) {
  const line = text.split('\n')[0];
  return line.length > 110 ? `${line.slice(0, 109)}…` : line;
}

function emptyState() {
  return element('section.panel.empty', {},
    element('img', { src: 'icon.svg', width: 64, height: 64, alt: '' }),
    element('h1', {}, 'Nothing runs here yet'),
    element('p.quiet', {}, 'Apply a CrawlJob to gather avatars and a TrainingRun to learn from them. They appear here by themselves.'),
    element('pre', {}, 'npm start                              # the whole demonstration\nnpx caricature apply -f my-run.yaml    # a run of your own'),
  );
}
