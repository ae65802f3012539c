export { createRegistry } from './registry.js';
export { ControllerMetrics } from './controller.metrics.js';
export { IMAGES_PER_SECOND, seriesOf, STEP_SECONDS, type SeriesKind } from './series.js';
