import { Controller, Get, Header, Inject } from '@nestjs/common';
import { AVATAR_LICENCES } from '@caricature/portraits';

export const CRAWL_DELAY_S = Symbol('CRAWL_DELAY_S');

/** What a site owes its visitors: rules for crawlers, licences, health. */
@Controller()
export class SiteController {
  constructor(@Inject(CRAWL_DELAY_S) private readonly crawlDelayS: number) {}

  @Get('robots.txt')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  getRobots(): string {
    const delay = this.crawlDelayS > 0 ? [`Crawl-delay: ${this.crawlDelayS}`] : [];
    return ['User-agent: *', 'Allow: /legacy/', 'Allow: /v2/', 'Disallow: /private/', ...delay, ''].join('\n');
  }

  /** Reachable, but no polite crawler comes here. */
  @Get('private/*path')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  getPrivate(): string {
    return 'robots.txt asks crawlers to stay out of here\n';
  }

  @Get('licences.json')
  getLicences(): { licences: unknown[] } {
    return { licences: Object.values(AVATAR_LICENCES) };
  }

  @Get('healthz')
  getHealth(): { status: 'ok' } {
    return { status: 'ok' };
  }
}
