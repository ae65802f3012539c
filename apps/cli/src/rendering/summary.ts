import { fileURLToPath } from 'node:url';
import type { TrainingRun } from '@caricature/contracts';
import type { Resource } from '../controller-client.js';
import { duration, plain, table } from './text.js';

export interface SummaryOptions {
  inferenceUrl: string;
  /** name@alias: the one that answers requests which name none. */
  servedModel: string;
  once: boolean;
}

/** What somebody wants to know when a job has ended: whether it succeeded, the scores, where to look, and what to try. */
export function renderSummary(resources: Resource[], options: SummaryOptions): string {
  return `\n${resources.map((r) => summarise(r, options)).join('\n\n')}\n`;
}

function summarise(resource: Resource, options: SummaryOptions): string {
  const { kind, metadata, status } = resource;
  const took = status?.startTime && status.completionTime ? ` in ${duration((Date.parse(status.completionTime) - Date.parse(status.startTime)) / 1000)}` : '';
  const head = `${kind} ${metadata.name}: ${status?.phase ?? 'Pending'}${took}`;
  if (status?.phase !== 'Succeeded') {
    return [head, plain(status?.conditions.find((c) => c.type === 'Failed')?.message ?? ''), `  more: npx caricature describe ${kind.toLowerCase()}/${metadata.name}`].join('\n');
  }
  return kind === 'TrainingRun' ? [head, ...runLines(resource as TrainingRun, options)].join('\n') : head;
}

function runLines({ spec, status }: TrainingRun, { inferenceUrl, servedModel, once }: SummaryOptions): string[] {
  const stage = (name: string) => status?.stages.find((s) => s.name === name);
  const scores = scoreRows(stage('evaluate')?.metrics ?? {});
  const folder = (uri: string | undefined) => (uri?.startsWith('file://') ? fileURLToPath(uri) : uri);
  const evaluated = folder(stage('evaluate')?.artifact?.uri);
  const model = folder(stage('publish')?.artifact?.uri);
  const lines = [
    ...(scores.length > 0 ? ['', table(['  SCORE', 'VALUE', 'CHANCE'], scores), ''] : []),
    ...(evaluated ? [`  grid     ${evaluated}/grid.png`, `  report   ${evaluated}/report.html`] : []),
    ...(model ? [`  model    ${model}${status?.model ? `  (${status.model.name} version ${status.model.version})` : ''}`] : []),
  ];
  if (evaluated && model && spec.publish) {
    const published = `${spec.publish.model}@${spec.publish.alias}`;
    const query = published === servedModel ? 'crop=none' : `crop=none&model=${published}`;
    lines.push('', `  ${once ? 'while `npm start` is serving, try' : 'try'}:`, `  curl -s --data-binary @${evaluated}/photo.jpg -H 'content-type: image/jpeg' '${inferenceUrl}/v1/caricatures?${query}' -o caricature.png`);
  }
  return lines;
}

const SCORES = ['traitAgreement', 'identityTop1', 'identityTop5', 'labelPreservation', 'diversity', 'frechetDistance', 'positionError', 'positionErrorPhoto', 'positionErrorAvatar', 'tidError'];

/** The scores in the order in which they matter, each beside its chance level where it has one; the traits and the features' positions last. */
function scoreRows(metrics: Record<string, number>): string[][] {
  const parts = Object.keys(metrics).filter((name) => /^(trait|position)\//.test(name));
  return [...SCORES.filter((name) => name in metrics), ...parts].map((name) => [`  ${name}`, metrics[name]!.toFixed(3), metrics[`${name}Chance`]?.toFixed(3) ?? '']);
}
