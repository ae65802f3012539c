import type { DashboardPlan } from './dashboard.js';

const MODEL = '{model=~"$model"}';
const quantile = (q: number) => `histogram_quantile(${q}, sum by (le, model) (rate(caricature_inference_seconds_bucket${MODEL}[$__rate_interval])))`;
const ofInference = (metric: string) => `${metric} and on (instance) caricature_inference_queue_depth`;

export const inference: DashboardPlan = {
  name: 'inference',
  title: 'Caricature / Inference',
  description: 'Requests, their time, batches and what waits.',
  variable: { label: 'model', metric: 'caricature_inference_requests_total' },
  rows: [
    {
      title: 'Now',
      panels: [
        { title: 'Requests a second', description: 'Of all models chosen.', shows: 'number', unit: 'reqps', queries: [{ expr: `sum(rate(caricature_inference_requests_total${MODEL}[$__rate_interval]))`, legend: 'requests' }] },
        { title: 'Share of server errors', description: 'Answers 500 and above, of all.', shows: 'number', unit: 'percentunit', queries: [{ expr: `(sum(rate(caricature_inference_requests_total{model=~"$model",code=~"5.."}[$__rate_interval])) or vector(0)) / sum(rate(caricature_inference_requests_total${MODEL}[$__rate_interval]))`, legend: 'errors' }] },
        { title: 'Waiting or in work', description: 'Of all pods.', shows: 'number', unit: 'none', queries: [{ expr: 'sum(caricature_inference_queue_depth)', legend: 'requests' }] },
        { title: 'Pods', description: 'That Prometheus hears of.', shows: 'number', unit: 'none', queries: [{ expr: 'count(caricature_inference_queue_depth)', legend: 'pods' }] },
      ],
    },
    {
      title: 'Requests',
      panels: [
        { title: 'Requests a second', description: 'By model and status code; 499 is a client that left.', shows: 'lines', unit: 'reqps', min: 0, queries: [{ expr: `sum by (model, code) (rate(caricature_inference_requests_total${MODEL}[$__rate_interval]))`, legend: '{{model}} {{code}}' }] },
        { title: 'Time of a request', description: 'From its arrival to its answer.', shows: 'lines', unit: 's', min: 0, queries: [0.5, 0.95, 0.99].map((q) => ({ expr: quantile(q), legend: `{{model}} p${q * 100}` })) },
        { title: 'Faces in a batch', description: 'Mean of faces drawn together.', shows: 'lines', unit: 'none', min: 0, queries: [{ expr: `sum by (model) (rate(caricature_inference_batch_size_sum${MODEL}[$__rate_interval])) / sum by (model) (rate(caricature_inference_batch_size_count${MODEL}[$__rate_interval]))`, legend: '{{model}}' }] },
        { title: 'Queue', description: 'Requests that wait or are in work, by pod.', shows: 'lines', unit: 'none', min: 0, queries: [{ expr: 'caricature_inference_queue_depth', legend: '{{instance}}' }] },
      ],
    },
    {
      title: 'Process',
      panels: [
        { title: 'Memory', description: 'Resident memory of each pod.', shows: 'lines', unit: 'bytes', min: 0, queries: [{ expr: ofInference('process_resident_memory_bytes'), legend: '{{instance}}' }] },
        { title: 'Event loop lag', description: '99 of 100 turns wait less than this.', shows: 'lines', unit: 's', min: 0, queries: [{ expr: ofInference('nodejs_eventloop_lag_p99_seconds'), legend: '{{instance}}' }] },
      ],
    },
  ],
};
