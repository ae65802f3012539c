export { grafanaCheckPath } from '../../scripts/test/chart-tools.mjs';
