export { DIVERGED_CODE, followHealth, type TrainingHealth } from './health.js';
export * from './ports.js';
export * from './plan.js';
export * from './plan-removal.js';
export { keysToLookUp, resolvedStages, type Action } from './plan-stages.js';
export { canonicalJson, jobName, stageKey } from './stage-key.js';
