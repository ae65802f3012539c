import { Body, Controller, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import { report } from '@caricature/contracts';
import { bearerOf } from '../access/bearer.js';
import { ReportsService } from './reports.service.js';

@Controller('api/v1/reports')
export class ReportsController {
  constructor(@Inject(ReportsService) private readonly reports: ReportsService) {}

  @Post()
  @HttpCode(200)
  accept(@Body() body: unknown, @Headers('authorization') authorization?: string) {
    return this.reports.accept(report.parse(body), bearerOf(authorization));
  }
}
