import { fileUrl, getJson, getText, needsToken, saveFile, stream } from './api.js';
import { StepChart } from './chart.js';
import { element, place } from './element.js';
import { age, bytes, duration, number } from './format.js';
import { sampleViewer } from './samples.js';
import { scoresPanel } from './scores.js';
import { addPoints, chartGroups } from './series.js';
import { stageList } from './stages.js';
import { phaseBadge, reasonOf } from './status.js';

const REFRESH_MS = 2000;
const GRID = 'grid.png';
const SHOWN_FILES = /\.(html|md|png)$/i;

/** One resource: its stages, charts that grow while one looks, sample grids, scores and events. */
export function resourcePage(page, context, { kind, namespace, name }) {
  const path = `resources/${[kind, namespace, name].map(encodeURIComponent).join('/')}`;
  const places = layout(page);
  const charts = chartBoard(places.charts);
  const samples = sampleViewer();
  places.samples.append(samples.node);
  const reports = new Map();
  let uid;

  const load = async () => {
    const resource = await getJson(path);
    if (uid !== resource.metadata.uid) follow((uid = resource.metadata.uid));
    const [events, grids] = await Promise.all([getJson(`${path}/events`), kind === 'TrainingRun' ? getJson(`runs/${uid}/samples`) : { items: [] }]);
    document.title = `${name} · Caricature`;
    const evaluation = resource.status?.stages.find((s) => s.name === 'evaluate');
    const report = await evaluationOf(evaluation?.artifact, reports);
    samples.show(grids.items.length > 0 ? grids.items : scoredPictures(evaluation?.artifact, report));
    place(places.head, ...header(resource));
    place(places.scores, evaluation?.metrics ? scoresPanel(evaluation.metrics, report?.traits, report && fileLinks(evaluation.artifact.digest, report.files)) : undefined);
    place(places.spec, specPanel(resource.spec));
    place(places.events, eventPanel(events.items));
    stageList(places.stages, resource, (stage, attempt) => showLog(path, stage, attempt));
  };

  const follow = (runUid) => stream(`runs/${runUid}/stream`, {
    signal: context.signal,
    onOpen: async () => charts.reset((await getJson(`runs/${runUid}/metrics?maxPoints=600`)).series),
    onEvent: (type, data) => {
      if (type === 'metrics') charts.add(data);
      if (type === 'sample' || type === 'artifact' || type === 'failed') void load().catch(() => undefined);
    },
  });

  context.signal.addEventListener('abort', () => {
    charts.close();
    samples.close();
    document.title = 'Caricature';
  });
  context.every(REFRESH_MS, load);
}

function layout(page) {
  const places = Object.fromEntries(['head', 'stages', 'charts', 'samples', 'scores', 'events', 'spec'].map((key) => [key, element('div')]));
  page.replaceChildren(places.head, places.stages, element('div.columns', {}, element('div', {}, places.charts, places.events), element('div', {}, places.samples, places.scores, places.spec)));
  return places;
}

function header(resource) {
  const { kind, metadata, status, spec } = resource;
  const took = status?.startTime ? duration((Date.parse(status.completionTime ?? new Date().toISOString()) - Date.parse(status.startTime)) / 1000) : undefined;
  const progress = status?.progress;
  const fact = (label, value) => (value === undefined ? undefined : element('span', {}, `${label} `, element('b.numbers', {}, value)));
  return [
    element('a.small', { href: '#/' }, '← All runs'),
    element('div.head', {}, element('h1', {}, metadata.name), phaseBadge(resource), element('span.chip', {}, kind), metadata.namespace !== 'default' && element('span.chip', {}, metadata.namespace)),
    element('div.facts', {},
      fact('applied', `${age(metadata.creationTimestamp)} ago`),
      fact(status?.completionTime ? 'took' : 'running for', took),
      kind === 'TrainingRun' && fact('architecture', `${spec.model.architecture}, ${spec.model.preset}`),
      fact('model', status?.model && `${status.model.name} v${status.model.version}`),
      fact('avatars', progress && `${number(progress.images)} of ${number(spec.sampling.count)}`),
      fact('duplicates', progress && number(progress.duplicates)),
      fact('failed', progress && number(progress.failed)),
      fact('size', progress && bytes(progress.bytes)),
      fact('combinations', status?.combinations && BigInt(status.combinations).toLocaleString('en')),
    ),
    // A stage that failed says why in its own place.
    status?.phase === 'Failed' && !status.stages.some((s) => s.state === 'Failed' && s.message) && element('section.panel.error', {}, reasonOf(resource)),
  ];
}

/** A chart for each group of series, made when its first value comes. */
function chartBoard(host) {
  const charts = new Map();
  let series = [];
  let isLogarithmic = false;
  let isDue = false;
  const body = element('div');
  const button = element('button', { type: 'button', 'aria-pressed': 'false' }, 'Log scale');
  const panel = element('section.panel', {}, element('div.toolbar', {}, element('h2', {}, 'Learning curves'), button), body);
  button.addEventListener('click', () => {
    isLogarithmic = !isLogarithmic;
    button.setAttribute('aria-pressed', String(isLogarithmic));
    for (const chart of charts.values()) chart.setLogarithmic(isLogarithmic);
  });
  panel.hidden = true;
  host.append(panel);

  const draw = () => {
    isDue = false;
    panel.hidden = series.length === 0;
    for (const [title, lines] of chartGroups(series)) {
      if (!charts.has(title)) {
        const box = element('div.chart', {}, element('h3', {}, title));
        body.append(box);
        charts.set(title, new StepChart(box));
        charts.get(title).setLogarithmic(isLogarithmic);
      }
      charts.get(title).show(lines);
    }
  };
  // Several values come with each report: they are drawn together.
  const drawSoon = () => {
    if (!isDue) requestAnimationFrame(draw);
    isDue = true;
  };
  return {
    reset: (next) => ((series = next), drawSoon()),
    add: (report) => (addPoints(series, report), drawSoon()),
    close: () => charts.forEach((chart) => chart.close()),
  };
}

/** What the evaluation's artifact says beyond the status: it never changes, so it is asked for once. */
async function evaluationOf(artifact, known) {
  if (!artifact) return undefined;
  if (!known.has(artifact.digest)) {
    const { files, metadata } = await getJson(`artifacts/${artifact.digest}`).catch(() => ({ files: [], metadata: {} }));
    known.set(artifact.digest, { files: files.map((f) => f.path).filter((p) => SHOWN_FILES.test(p)).slice(0, 4), traits: metadata.traits });
  }
  return known.get(artifact.digest);
}

/** What a run shows whose training was taken from the cache, and so gave no samples: the pictures that were scored. */
function scoredPictures(artifact, report) {
  return report?.files.includes(GRID) ? [{ image: fileUrl(artifact.digest, GRID) }] : [];
}

function fileLinks(digest, files) {
  const links = files.map((file) => {
    const href = fileUrl(digest, file);
    return element('a', { href, target: '_blank', rel: 'noopener', onclick: (event) => needsToken() && (event.preventDefault(), void saveFile(href, file)) }, file);
  });
  return element('span.small', {}, ...links.flatMap((link, index) => (index ? [' · ', link] : [link])));
}

function eventPanel(events) {
  if (events.length === 0) return undefined;
  return element('section.panel.flush', {}, element('table', {},
    element('thead', {}, element('tr', {}, ...['Event', 'Message', 'When'].map((title) => element('th', {}, title)))),
    element('tbody', {}, ...events.map((event) => element('tr', {},
      element(event.type === 'Warning' ? 'td.warning' : 'td', {}, event.reason, event.count > 1 ? ` ×${event.count}` : ''),
      element('td.message', {}, event.message),
      element('td.when.numbers', { title: event.lastAt }, `${age(event.lastAt)} ago`),
    )))));
}

function specPanel(spec) {
  return element('section.panel', {}, element('details', {}, element('summary', {}, 'Specification'), element('pre', {}, JSON.stringify(spec, undefined, 2))));
}

async function showLog(path, stage, attempt) {
  const output = element('pre', {}, 'Loading …');
  const dialog = element('dialog', {}, element('div.toolbar', {}, element('h3', {}, `Log of ${stage}, attempt ${attempt}`), element('form', { method: 'dialog' }, element('button', {}, 'Close'))), output);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  output.textContent = await getText(`${path}/logs?stage=${encodeURIComponent(stage)}&attempt=${attempt}`).catch((error) => error.message) || 'It has said nothing yet.';
  output.scrollTop = output.scrollHeight;
}
