import { Module, type DynamicModule } from '@nestjs/common';
import type { AvatarSourceOptions } from './avatar-source.env.js';
import { AvatarService } from './avatars/avatar.service.js';
import { CurrentController } from './current/current.controller.js';
import { LegacyController } from './legacy/legacy.controller.js';
import { CRAWL_DELAY_S, SiteController } from './site/site.controller.js';

@Module({})
export class AvatarSourceModule {
  static with({ cacheBytes, crawlDelayS }: AvatarSourceOptions): DynamicModule {
    return {
      module: AvatarSourceModule,
      controllers: [SiteController, LegacyController, CurrentController],
      providers: [
        { provide: AvatarService, useFactory: () => new AvatarService(cacheBytes) },
        { provide: CRAWL_DELAY_S, useValue: crawlDelayS },
      ],
    };
  }
}
