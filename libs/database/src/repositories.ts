import { createArtifactRepository } from './artifact.repository.js';
import type { Client } from './client.js';
import { createEventRepository } from './event.repository.js';
import { createMetricRepository } from './metric.repository.js';
import { createModelRepository } from './model.repository.js';
import type { Repositories } from './ports.js';
import { createResourceRepository } from './resource.repository.js';
import { createSampleRepository } from './sample.repository.js';
import { createStageReportRepository } from './stage-report.repository.js';
import { createStageRepository } from './stage.repository.js';

export function createRepositories(client: Client): Repositories {
  return {
    resources: createResourceRepository(client),
    stages: createStageRepository(client),
    artifacts: createArtifactRepository(client),
    metrics: createMetricRepository(client),
    samples: createSampleRepository(client),
    models: createModelRepository(client),
    events: createEventRepository(client),
    stageReports: createStageReportRepository(client),
  };
}
