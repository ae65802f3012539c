import { Body, Controller, Get, Inject, Param, Put } from '@nestjs/common';
import { aliasName, aliasTarget } from '../request.js';
import { ModelsService } from './models.service.js';

@Controller('api/v1/models')
export class ModelsController {
  constructor(@Inject(ModelsService) private readonly models: ModelsService) {}

  @Get()
  list() {
    return this.models.list();
  }

  @Get(':name')
  get(@Param('name') name: string) {
    return this.models.get(name);
  }

  @Get(':name/aliases/:alias')
  resolve(@Param('name') name: string, @Param('alias') alias: string) {
    return this.models.resolve(name, aliasName.parse(alias));
  }

  @Put(':name/aliases/:alias')
  setAlias(@Param('name') name: string, @Param('alias') alias: string, @Body() body: unknown) {
    return this.models.setAlias(name, aliasName.parse(alias), aliasTarget.parse(body).version);
  }
}
