import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';

const HEADERS = {
  'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
};

/** Serves the pages of apps/web at `/`, and the chart library that they use. */
export function serveWeb(app: NestExpressApplication, root: string): void {
  const setHeaders = (response: { setHeader(name: string, value: string): void }): void => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  };
  app.useStaticAssets(join(root, 'apps/web'), { setHeaders, index: 'index.html', dotfiles: 'ignore' });
  app.useStaticAssets(join(root, 'node_modules/uplot/dist'), { prefix: '/vendor/uplot', setHeaders, index: false });
}
