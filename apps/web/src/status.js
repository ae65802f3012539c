import { element } from './element.js';
import { duration, number } from './format.js';

export const phaseOf = (resource) => resource.status?.phase ?? 'Pending';

export function phaseBadge(resource) {
  const phase = resource.metadata.deletionTimestamp ? 'Deleting' : phaseOf(resource);
  return element('span.phase', { 'data-phase': phase }, phase);
}

/** The stage that is at work, or that the resource ended with. */
export function currentStage(resource) {
  const stages = resource.status?.stages ?? [];
  return stages.find((s) => s.state === 'Running') ?? stages.find((s) => s.state === 'Failed') ?? stages.findLast((s) => s.state !== 'Pending');
}

export function share(progress) {
  return progress && progress.totalSteps > 0 ? Math.min(1, progress.step / progress.totalSteps) : 0;
}

/** One segment a stage, the running one filled as far as it is. */
export function stageSegments(stages) {
  return element('div.steps', { 'aria-hidden': true }, ...stages.map((stage) => {
    const fill = stage.state === 'Running' ? element('progress', { max: 1, value: share(stage.progress) }) : undefined;
    return element('i', { 'data-state': stage.state, title: `${stage.name}: ${stage.state}` }, fill);
  }));
}

export function progressText({ step, totalSteps, etaSeconds }, withEta = true) {
  const steps = totalSteps > 0 ? `${number(step)} of ${number(totalSteps)}` : number(step);
  return withEta && etaSeconds ? `${steps} · ${duration(etaSeconds)} left` : steps;
}

/** The newest condition that says why the resource is where it is. */
export function reasonOf(resource) {
  const conditions = resource.status?.conditions ?? [];
  const wanted = { Failed: 'Failed', Succeeded: 'Succeeded', Suspended: 'Suspended' }[phaseOf(resource)] ?? 'Progressing';
  return conditions.find((c) => c.type === wanted)?.message ?? '';
}
