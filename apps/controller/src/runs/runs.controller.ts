import { Controller, Get, Header, Inject, Param, Query, Sse, StreamableFile } from '@nestjs/common';
import type { MetricQuery } from '@caricature/database';
import { metricQuery, sampleStep, uuid } from '../request.js';
import { RunsService } from './runs.service.js';

@Controller('api/v1/runs/:uid')
export class RunsController {
  constructor(@Inject(RunsService) private readonly runs: RunsService) {}

  @Get('metrics')
  metrics(@Param('uid') uid: string, @Query() query: unknown) {
    return this.runs.metrics({ runUid: uuid.parse(uid), ...metricQuery.parse(query) } as MetricQuery);
  }

  @Get('attempts')
  attempts(@Param('uid') uid: string) {
    return this.runs.attempts(uuid.parse(uid));
  }

  @Get('samples')
  samples(@Param('uid') uid: string) {
    return this.runs.samples(uuid.parse(uid));
  }

  @Get('samples/:step')
  @Header('X-Content-Type-Options', 'nosniff')
  async sample(@Param('uid') uid: string, @Param('step') step: string) {
    return new StreamableFile(await this.runs.sampleImage(uuid.parse(uid), sampleStep.parse(step)), { type: 'image/png' });
  }

  @Sse('stream')
  stream(@Param('uid') uid: string) {
    return this.runs.stream(uuid.parse(uid));
  }
}
