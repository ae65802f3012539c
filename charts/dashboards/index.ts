import { controller } from './controller.js';
import { crawling } from './crawling.js';
import { buildDashboard } from './dashboard.js';
import { inference } from './inference.js';
import { training } from './training.js';

/** The dashboards as files of the chart: name, and what is in it. */
export function renderDashboards(): { name: string; text: string }[] {
  return [training, crawling, controller, inference].map((plan) => ({ name: `${plan.name}.json`, text: `${JSON.stringify(buildDashboard(plan), null, 1)}\n` }));
}
