import { createAvatarSourceApp } from './avatar-source.app.js';
import { readAvatarSourceEnv } from './avatar-source.env.js';

/** Serves avatars until a signal; prints one line of JSON with the address once it listens. */
async function main(): Promise<void> {
  const { port, host } = readAvatarSourceEnv();
  const app = await createAvatarSourceApp();
  await app.listen(port, host);
  process.stdout.write(`${JSON.stringify({ event: 'listening', url: await app.getUrl() })}\n`);
}

main().catch((error: NodeJS.ErrnoException) => {
  const inUse = error.code === 'EADDRINUSE' ? ' Stop the other program or choose another port by PORT.' : '';
  process.stderr.write(`avatar-source: ${error.message}.${inUse}\n`);
  process.exit(1);
});
