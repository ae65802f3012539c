import type { DashboardPlan } from './dashboard.js';

const CRAWL = '{crawl=~"$crawl"}';
const FAILED = '{crawl=~"$crawl",outcome="failed"}';

export const crawling: DashboardPlan = {
  name: 'crawling',
  title: 'Caricature / Crawling',
  description: 'What every CrawlJob fetched, how fast, and what failed.',
  variable: { label: 'crawl', metric: 'caricature_crawl_images_total' },
  rows: [
    {
      title: 'Now',
      panels: [
        { title: 'Avatars saved', description: 'Of this attempt.', shows: 'number', unit: 'none', queries: [{ expr: 'max by (crawl) (caricature_crawl_images_total{crawl=~"$crawl",outcome="saved"})', legend: '{{crawl}}' }] },
        { title: 'Failed', description: 'Avatars that could not be had after every retry.', shows: 'number', unit: 'none', queries: [{ expr: `max by (crawl) (caricature_crawl_images_total${FAILED})`, legend: '{{crawl}}' }] },
        { title: 'Bytes', description: 'Of all avatars.', shows: 'number', unit: 'bytes', queries: [{ expr: `max by (crawl) (caricature_crawl_bytes_total${CRAWL})`, legend: '{{crawl}}' }] },
        { title: 'CrawlJobs', description: 'By phase.', shows: 'number', unit: 'none', queries: [{ expr: 'max by (phase) (caricature_resources{kind="CrawlJob"})', legend: '{{phase}}' }] },
      ],
    },
    {
      title: 'Course',
      panels: [
        { title: 'Avatars a second', description: 'By what became of them.', shows: 'lines', unit: 'none', min: 0, queries: [{ expr: `max by (crawl, outcome) (rate(caricature_crawl_images_total${CRAWL}[$__rate_interval]))`, legend: '{{crawl}} {{outcome}}' }] },
        { title: 'Bytes a second', description: 'Of the avatars fetched.', shows: 'lines', unit: 'Bps', min: 0, queries: [{ expr: `max by (crawl) (rate(caricature_crawl_bytes_total${CRAWL}[$__rate_interval]))`, legend: '{{crawl}}' }] },
        { title: 'Time of a request', description: 'Mean seconds of a request to the source over the last second.', shows: 'lines', unit: 's', min: 0, queries: [{ expr: `max by (crawl) (caricature_crawl_request_seconds${CRAWL})`, legend: '{{crawl}}' }] },
        { title: 'Share that failed', description: 'Of all avatars of this attempt.', shows: 'lines', unit: 'percentunit', min: 0, max: 1, queries: [{ expr: `max by (crawl) (caricature_crawl_images_total${FAILED}) / sum by (crawl) (max by (crawl, outcome) (caricature_crawl_images_total${CRAWL}))`, legend: '{{crawl}}' }] },
      ],
    },
  ],
};
