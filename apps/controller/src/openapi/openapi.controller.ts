import { Controller, Get } from '@nestjs/common';
import { createOpenApi } from './openapi.js';

@Controller('api/openapi.json')
export class OpenApiController {
  private readonly document = createOpenApi();

  @Get()
  get() {
    return this.document;
  }
}
