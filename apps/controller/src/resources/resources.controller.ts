import { Body, Controller, Delete, Get, Header, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { logQuery, resourceFilter, resourcePath } from '../request.js';
import { ResourcesService } from './resources.service.js';

@Controller('api/v1/resources')
export class ResourcesController {
  constructor(@Inject(ResourcesService) private readonly resources: ResourcesService) {}

  @Get()
  list(@Query() query: unknown) {
    return this.resources.list(resourceFilter.parse(query));
  }

  @Post()
  @HttpCode(200)
  apply(@Body() document: unknown) {
    return this.resources.apply(document);
  }

  @Get(':kind/:namespace/:name')
  get(@Param() path: unknown) {
    return this.resources.get(resourcePath.parse(path));
  }

  @Delete(':kind/:namespace/:name')
  delete(@Param() path: unknown) {
    return this.resources.delete(resourcePath.parse(path));
  }

  @Get(':kind/:namespace/:name/events')
  events(@Param() path: unknown) {
    return this.resources.events(resourcePath.parse(path));
  }

  @Get(':kind/:namespace/:name/history')
  history(@Param() path: unknown) {
    return this.resources.history(resourcePath.parse(path));
  }

  @Get(':kind/:namespace/:name/logs')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  log(@Param() path: unknown, @Query() query: unknown) {
    return this.resources.log(resourcePath.parse(path), logQuery.parse(query));
  }
}
