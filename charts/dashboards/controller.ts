import type { DashboardPlan } from './dashboard.js';

/** Only of processes that are controllers. */
const ofControllers = (metric: string) => `${metric} and on (instance) caricature_reconcile_queue_depth`;

export const controller: DashboardPlan = {
  name: 'controller',
  title: 'Caricature / Controller',
  description: 'Whether the operator keeps up: reconciliation, its queue, leadership, calls of the Kubernetes API, memory.',
  rows: [
    {
      title: 'Now',
      panels: [
        { title: 'Leaders', description: 'Exactly one is right.', shows: 'number', unit: 'none', queries: [{ expr: 'sum(caricature_leader)', legend: 'leaders' }] },
        { title: 'Waiting', description: 'Resources that wait to be reconciled.', shows: 'number', unit: 'none', queries: [{ expr: 'sum(caricature_reconcile_queue_depth)', legend: 'waiting' }] },
        { title: 'TrainingRuns', description: 'By phase.', shows: 'number', unit: 'none', queries: [{ expr: 'max by (phase) (caricature_resources{kind="TrainingRun"})', legend: '{{phase}}' }] },
        { title: 'CrawlJobs', description: 'By phase.', shows: 'number', unit: 'none', queries: [{ expr: 'max by (phase) (caricature_resources{kind="CrawlJob"})', legend: '{{phase}}' }] },
      ],
    },
    {
      title: 'Reconciliation',
      panels: [
        { title: 'Rounds a second', description: 'By kind and result. A conflict is normal: somebody else changed the resource meanwhile.', shows: 'lines', unit: 'none', min: 0, queries: [{ expr: 'sum by (kind, result) (rate(caricature_reconcile_total[$__rate_interval]))', legend: '{{kind}} {{result}}' }] },
        {
          title: 'Time of a round',
          description: 'Half and 99 of 100 rounds take less.',
          shows: 'lines',
          unit: 's',
          min: 0,
          queries: [
            { expr: 'histogram_quantile(0.5, sum by (le) (rate(caricature_reconcile_seconds_bucket[$__rate_interval])))', legend: 'p50' },
            { expr: 'histogram_quantile(0.99, sum by (le) (rate(caricature_reconcile_seconds_bucket[$__rate_interval])))', legend: 'p99' },
          ],
        },
        { title: 'Queue', description: 'Resources that wait to be reconciled.', shows: 'lines', unit: 'none', min: 0, queries: [{ expr: 'caricature_reconcile_queue_depth', legend: '{{instance}}' }] },
        { title: 'Leadership', description: '1 at the replica that leads.', shows: 'lines', unit: 'none', min: 0, max: 1, queries: [{ expr: 'caricature_leader', legend: '{{instance}}' }] },
      ],
    },
    {
      title: 'Kubernetes API (on a cluster)',
      panels: [
        { title: 'Calls a second', description: 'By verb and status code. When nothing changes there are next to none.', shows: 'lines', unit: 'none', min: 0, queries: [{ expr: 'sum by (verb, code) (rate(caricature_api_requests_total[$__rate_interval]))', legend: '{{verb}} {{code}}' }] },
        { title: 'Watches begun again', description: 'By reason.', shows: 'lines', unit: 'none', min: 0, queries: [{ expr: 'sum by (reason) (increase(caricature_watch_restarts_total[$__rate_interval]))', legend: '{{reason}}' }] },
      ],
    },
    {
      title: 'Process',
      panels: [
        { title: 'Memory', description: 'Resident memory of each replica.', shows: 'lines', unit: 'bytes', min: 0, queries: [{ expr: ofControllers('process_resident_memory_bytes'), legend: '{{instance}}' }] },
        { title: 'CPU', description: 'Cores in use.', shows: 'lines', unit: 'none', min: 0, queries: [{ expr: ofControllers('rate(process_cpu_seconds_total[$__rate_interval])'), legend: '{{instance}}' }] },
        { title: 'Event loop lag', description: '99 of 100 turns wait less than this.', shows: 'lines', unit: 's', min: 0, queries: [{ expr: ofControllers('nodejs_eventloop_lag_p99_seconds'), legend: '{{instance}}' }] },
        { title: 'Artifact store', description: 'Bytes that the controllers themselves read and wrote, a second.', shows: 'lines', unit: 'Bps', min: 0, queries: [{ expr: 'sum by (op) (rate(caricature_artifact_bytes_total[$__rate_interval]))', legend: '{{op}}' }] },
      ],
    },
  ],
};
