export * from './ports.js';
export * from './plan.js';
export { keysToLookUp, resolvedStages, type Action } from './plan-stages.js';
export { canonicalJson, jobName, stageKey } from './stage-key.js';
