import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The part of the controller's API that inference asks, over real HTTP, and what it answers now. */
export interface TestController {
  url: string;
  /** `name/alias` → answer; what is not there is a 404. */
  aliases: Map<string, { version: string; artifactUri: string }>;
  close(): Promise<void>;
}

export async function startController(): Promise<TestController> {
  const aliases: TestController['aliases'] = new Map();
  const server = createServer((request, response) => {
    const [, name, alias] = /^\/api\/v1\/models\/([^/]+)\/aliases\/([^/]+)$/.exec(request.url ?? '') ?? [];
    const answer = aliases.get(`${name}/${alias}`);
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    aliases,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
