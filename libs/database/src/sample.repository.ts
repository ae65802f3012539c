import type { Client } from './client.js';
import type { SampleRepository } from './ports.js';

export function createSampleRepository(client: Client): SampleRepository {
  return {
    record: ({ runUid, step, uri, digest }) =>
      client.sample.upsert({ where: { runUid_step: { runUid, step } }, create: { runUid, step, uri, digest }, update: { uri, digest } }),
    list: (runUid) => client.sample.findMany({ where: { runUid }, orderBy: { step: 'asc' } }),
  };
}
