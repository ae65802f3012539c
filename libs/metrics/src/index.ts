export { createRegistry } from './registry.js';
export { ControllerMetrics } from './controller.metrics.js';
export { seriesOf, type SeriesKind } from './series.js';
