import { Controller, Get, Inject, NotFoundException, Param, Query, Req, Res } from '@nestjs/common';
import { AVATAR_GENDERS, AVATAR_LIBRARIES, currentCatalog, type AvatarGender, type AvatarLibrary } from '@caricature/portraits';
import type { Request, Response } from 'express';
import { parseAvatarQuery } from '../avatars/avatar.query.js';
import { AvatarService, etagOf } from '../avatars/avatar.service.js';
import { sendConditionally } from '../avatars/conditional.response.js';

const catalogs = Object.fromEntries(AVATAR_GENDERS.map((gender) => [gender, JSON.stringify(currentCatalog(gender))]));

/** The current avatar API: libraries, genders, and a catalog loaded from the server. */
@Controller('v2')
export class CurrentController {
  constructor(@Inject(AvatarService) private readonly avatars: AvatarService) {}

  @Get('catalog/:gender.json')
  getCatalog(@Param('gender') name: string, @Req() request: Request, @Res() response: Response): void {
    const catalog = catalogs[genderOf(name)]!;
    sendConditionally(request, response, etagOf(catalog), 'application/json', () => catalog);
  }

  @Get('render/:library/:gender.png')
  render(
    @Param('library') library: string, @Param('gender') gender: string, @Query() query: Record<string, unknown>,
    @Req() request: Request, @Res() response: Response,
  ): void {
    const asked = parseAvatarQuery(query);
    const answer = this.avatars.answer({ library: libraryNamed(library), gender: genderOf(gender), parameters: asked.parameters }, asked);
    response.set('X-Licence', answer.licence);
    sendConditionally(request, response, answer.etag, 'image/png', answer.png);
  }
}

function genderOf(name: string): AvatarGender {
  const gender = AVATAR_GENDERS.find((known) => known === name);
  if (!gender) throw new NotFoundException(`no such gender: ${name}`);
  return gender;
}

function libraryNamed(name: string): AvatarLibrary {
  const library = AVATAR_LIBRARIES.find((known) => known === name);
  if (!library) throw new NotFoundException(`no such library: ${name}`);
  return library;
}
