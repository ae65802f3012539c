export * from './common.js';
export * from './crawl-job.js';
export * from './training-run.js';
export * from './reports.js';
export * from './stages.js';
export * from './validation.js';
export { renderCrds, type CustomResourceDefinition } from './crd/render-crds.js';
