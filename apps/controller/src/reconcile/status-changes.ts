import type { StageStatus } from '@caricature/contracts';
import type { ResourceStatus } from '@caricature/reconciler';

/** A status without what changes all the time while a stage runs: what is left is worth writing at once. */
export function withoutProgress(status: ResourceStatus): object {
  const { progress: _, ...rest } = status as ResourceStatus & { progress?: unknown };
  return { ...rest, stages: status.stages.map(({ progress: __, metrics: ___, ...stage }: StageStatus) => stage) };
}
