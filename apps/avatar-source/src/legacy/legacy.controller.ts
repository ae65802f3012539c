import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { AVATAR_TEMPLATES, legacyCatalog } from '@caricature/portraits';
import type { Request, Response } from 'express';
import { parseAvatarQuery } from '../avatars/avatar.query.js';
import { AvatarService, etagOf } from '../avatars/avatar.service.js';
import { sendConditionally } from '../avatars/conditional.response.js';

const catalog = JSON.stringify(legacyCatalog());

/** The old avatar API: a template plus parameters. */
@Controller('legacy')
export class LegacyController {
  constructor(@Inject(AvatarService) private readonly avatars: AvatarService) {}

  @Get('catalog.json')
  getCatalog(@Req() request: Request, @Res() response: Response): void {
    sendConditionally(request, response, etagOf(catalog), 'application/json', () => catalog);
  }

  @Get('templates.json')
  getTemplates(): { templates: string[] } {
    return { templates: Object.keys(AVATAR_TEMPLATES) };
  }

  @Get('render/:template.png')
  render(@Param('template') template: string, @Query() query: Record<string, unknown>, @Req() request: Request, @Res() response: Response): void {
    const asked = parseAvatarQuery(query);
    const answer = this.avatars.answer({ template, parameters: asked.parameters }, asked);
    response.set('X-Licence', answer.licence);
    sendConditionally(request, response, answer.etag, 'image/png', answer.png);
  }
}
