import type { DashboardPlan } from './dashboard.js';

const RUN = '{run=~"$run"}';
/** Of each run and stage: replicas of the controller may tell of the same one. */
const each = (metric: string, by = 'run, stage') => `max by (${by}) (${metric})`;

export const training: DashboardPlan = {
  name: 'training',
  title: 'Caricature / Training',
  description: 'Losses, accuracies, speed and time left of every TrainingRun, and the GPUs.',
  variable: { label: 'run', metric: 'caricature_training_step' },
  rows: [
    {
      title: 'Now',
      panels: [
        { title: 'Step', description: 'Steps done.', shows: 'number', unit: 'none', queries: [{ expr: each(`caricature_training_step${RUN}`), legend: '{{run}} {{stage}}' }] },
        { title: 'Time left', description: 'Until the stage is expected to be done.', shows: 'number', unit: 's', queries: [{ expr: each(`caricature_training_eta_seconds${RUN}`), legend: '{{run}} {{stage}}' }] },
        { title: 'Running', description: '1 while the stage runs.', shows: 'number', unit: 'none', queries: [{ expr: each(`caricature_training_running${RUN}`), legend: '{{run}} {{stage}}' }] },
        { title: 'Diverged', description: '1 when the last attempt ended with a loss that is no number.', shows: 'number', unit: 'none', queries: [{ expr: each(`caricature_training_diverged${RUN}`), legend: '{{run}} {{stage}}' }] },
      ],
    },
    {
      title: 'Losses',
      panels: [
        { title: 'Losses of train', description: 'Every loss that the stage reports: of G its sum and terms, of D its own.', shows: 'lines', unit: 'none', queries: [{ expr: each('caricature_training_loss{run=~"$run",stage="train"}', 'run, loss'), legend: '{{run}} {{loss}}' }] },
        { title: 'Losses of pretrain', description: 'Of the classifier whose inner layer is f.', shows: 'lines', unit: 'none', queries: [{ expr: each('caricature_training_loss{run=~"$run",stage="pretrain"}', 'run, loss'), legend: '{{run}} {{loss}}' }] },
      ],
    },
    {
      title: 'Accuracy',
      panels: [
        { title: "D's accuracy by class", description: 'Share of each class that the discriminator gets right. All near 1: G learns nothing from it; all near chance: D tells G nothing.', shows: 'lines', unit: 'percentunit', min: 0, max: 1, queries: [{ expr: each('caricature_discriminator_accuracy{run=~"$run",class!="all"}', 'run, class'), legend: '{{run}} {{class}}' }] },
        { title: "The classifier's accuracy", description: 'Share of photos whose person is recognised while pretraining.', shows: 'lines', unit: 'percentunit', min: 0, max: 1, queries: [{ expr: each('caricature_discriminator_accuracy{run=~"$run",class="all"}', 'run'), legend: '{{run}}' }] },
      ],
    },
    {
      title: 'Speed',
      panels: [
        { title: 'Images a second', description: 'Images that went through training.', shows: 'lines', unit: 'none', min: 0, queries: [{ expr: each(`rate(caricature_training_images_total${RUN}[$__rate_interval])`), legend: '{{run}} {{stage}}' }] },
        { title: 'Step time', description: 'Seconds of the last reported step.', shows: 'lines', unit: 's', min: 0, queries: [{ expr: each(`caricature_training_step_seconds${RUN}`), legend: '{{run}} {{stage}}' }] },
        { title: 'Steps', description: 'Steps done: a flat line is a stage that stands still.', shows: 'lines', unit: 'none', min: 0, queries: [{ expr: each(`caricature_training_step${RUN}`), legend: '{{run}} {{stage}}' }] },
        { title: 'Photos prepared', description: 'By what became of them: kept, or why they were left out.', shows: 'lines', unit: 'none', min: 0, queries: [{ expr: each(`caricature_prepare_images_total${RUN}`, 'run, outcome'), legend: '{{run}} {{outcome}}' }] },
      ],
    },
    {
      title: 'GPUs (where the DCGM exporter runs)',
      panels: [
        { title: 'GPU utilisation', description: 'Of every GPU that the DCGM exporter sees.', shows: 'lines', unit: 'percent', min: 0, max: 100, queries: [{ expr: 'max by (Hostname, gpu) (DCGM_FI_DEV_GPU_UTIL)', legend: '{{Hostname}} GPU {{gpu}}' }] },
        { title: 'GPU memory used', description: 'Framebuffer in use.', shows: 'lines', unit: 'decmbytes', min: 0, queries: [{ expr: 'max by (Hostname, gpu) (DCGM_FI_DEV_FB_USED)', legend: '{{Hostname}} GPU {{gpu}}' }] },
        { title: 'GPU power', description: 'Watts drawn.', shows: 'lines', unit: 'watt', min: 0, queries: [{ expr: 'max by (Hostname, gpu) (DCGM_FI_DEV_POWER_USAGE)', legend: '{{Hostname}} GPU {{gpu}}' }] },
        { title: 'GPU temperature', description: 'Of the chip.', shows: 'lines', unit: 'celsius', queries: [{ expr: 'max by (Hostname, gpu) (DCGM_FI_DEV_GPU_TEMP)', legend: '{{Hostname}} GPU {{gpu}}' }] },
      ],
    },
  ],
};
