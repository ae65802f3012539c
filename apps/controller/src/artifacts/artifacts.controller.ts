import { pipeline } from 'node:stream/promises';
import { Controller, Get, Inject, Param, Res } from '@nestjs/common';
import type { Response } from 'express';
import { digest } from '../request.js';
import { ArtifactsService } from './artifacts.service.js';
import { fileHeaders } from './content-type.js';

@Controller('api/v1/artifacts/:digest')
export class ArtifactsController {
  constructor(@Inject(ArtifactsService) private readonly artifacts: ArtifactsService) {}

  @Get()
  get(@Param('digest') id: string) {
    return this.artifacts.get(digest.parse(id));
  }

  @Get('lineage')
  lineage(@Param('digest') id: string) {
    return this.artifacts.lineage(digest.parse(id));
  }

  @Get('files/*path')
  async file(@Param('digest') id: string, @Param('path') path: string | string[], @Res() response: Response) {
    const name = [path].flat().join('/');
    const { stream, bytes } = await this.artifacts.openFile(digest.parse(id), name);
    response.set(fileHeaders(name)).set('Content-Length', String(bytes));
    await pipeline(stream, response);
  }
}
