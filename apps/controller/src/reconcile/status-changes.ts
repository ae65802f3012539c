import type { StageStatus, TrainingRun } from '@caricature/contracts';
import type { Resource, ResourceStatus } from '@caricature/reconciler';

/** A status without what changes all the time while a stage runs: what is left is worth writing at once. */
export function withoutProgress(status: ResourceStatus): object {
  const { progress: _, ...rest } = status as ResourceStatus & { progress?: unknown };
  return { ...rest, stages: status.stages.map(({ progress: __, metrics: ___, ...stage }: StageStatus) => stage) };
}

/** Whether the faces of a run are cut: other runs may take them from then on. */
export function hasFaces(status: ResourceStatus | undefined): boolean {
  return status?.stages.some((s) => s.name === 'prepare-faces' && s.artifact !== undefined) ?? false;
}

/** Whether a run takes what another resource makes. */
export function takesFrom({ spec: { source, target } }: TrainingRun, { kind, metadata: { name }, spec }: Resource): boolean {
  if (kind === 'TrainingRun') return source.dataset === name;
  return target?.crawlJobRef?.name === name || (target?.dataset !== undefined && 'output' in spec && target.dataset === spec.output.dataset);
}
