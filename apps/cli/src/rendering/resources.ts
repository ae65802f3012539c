import type { StageStatus } from '@caricature/contracts';
import type { Resource, ResourceEvent } from '../controller-client.js';
import { duration, plain, table } from './text.js';

const LOSSES = ['g', 'loss', 'd'];

/** What is told of a list of resources: the same columns as kubectl's. */
export function resourceTable(resources: Resource[], now: number): string {
  const rows = resources.map((r) => {
    const stage = currentStage(r);
    return [
      r.metadata.name,
      r.status?.phase ?? 'Pending',
      stage?.name ?? '',
      stage?.progress ? `${stage.progress.step}/${stage.progress.totalSteps}` : '',
      lossOf(stage),
      stage?.progress?.etaSeconds !== undefined && stage.state === 'Running' ? duration(stage.progress.etaSeconds) : '',
      duration((now - Date.parse(r.metadata.creationTimestamp)) / 1000),
    ];
  });
  return table(['NAME', 'PHASE', 'STAGE', 'STEP', 'LOSS', 'ETA', 'AGE'], rows);
}

export function currentStage(resource: Resource): StageStatus | undefined {
  const stages = resource.status?.stages ?? [];
  return stages.find((s) => s.state === 'Running') ?? stages.find((s) => s.state === 'Failed') ?? stages.filter((s) => s.state === 'Succeeded').at(-1);
}

function lossOf(stage: StageStatus | undefined): string {
  const name = LOSSES.find((l) => stage?.metrics?.[l] !== undefined);
  return name ? stage!.metrics![name]!.toFixed(3) : '';
}

export function describeResource(resource: Resource, events: ResourceEvent[], now: number): string {
  const { metadata, status, kind } = resource;
  const head = [
    `Name:       ${metadata.name}`,
    `Namespace:  ${metadata.namespace}`,
    `Kind:       ${kind}`,
    `Phase:      ${status?.phase ?? 'Pending'}`,
    ...(status?.startTime ? [`Started:    ${status.startTime}`] : []),
    ...(status?.completionTime ? [`Completed:  ${status.completionTime}`] : []),
  ];
  const conditions = (status?.conditions ?? []).map((c) => [c.type, c.status, c.reason, plain(c.message).split('\n')[0] ?? '']);
  const stages = (status?.stages ?? []).map((s) => [s.name, s.state, s.cached ? 'yes' : 'no', String(s.attempts), took(s), plain(s.message ?? '').split('\n')[0] ?? '']);
  const metrics = (status?.stages ?? []).flatMap((s) => Object.entries(s.metrics ?? {}).map(([name, value]) => [s.name, name, String(Math.round(value * 1e4) / 1e4)]));
  return [
    head.join('\n'),
    `Conditions:\n${indent(table(['TYPE', 'STATUS', 'REASON', 'MESSAGE'], conditions))}`,
    `Stages:\n${indent(table(['NAME', 'STATE', 'CACHED', 'ATTEMPTS', 'TOOK', 'MESSAGE'], stages))}`,
    ...(metrics.length > 0 ? [`Metrics:\n${indent(table(['STAGE', 'NAME', 'VALUE'], metrics))}`] : []),
    `Events:\n${indent(table(['AGE', 'TYPE', 'REASON', 'COUNT', 'MESSAGE'], events.map((e) => [duration((now - Date.parse(e.lastAt)) / 1000), e.type, e.reason, String(e.count), plain(e.message).split('\n')[0] ?? ''])))}`,
  ].join('\n\n');
}

function took({ startTime, completionTime, cached }: StageStatus): string {
  return startTime && completionTime && !cached ? duration((Date.parse(completionTime) - Date.parse(startTime)) / 1000) : '';
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
