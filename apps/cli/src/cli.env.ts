/** What the command line takes from the environment. */
export function readCliEnvironment(): { controllerUrl: string; token: string | undefined; home: string; interactive: boolean; environment: NodeJS.ProcessEnv } {
  return {
    controllerUrl: process.env['CARICATURE_URL'] ?? 'http://127.0.0.1:3000',
    token: process.env['CARICATURE_API_TOKEN'],
    home: process.env['CARICATURE_HOME'] ?? '.caricature',
    interactive: process.stdout.isTTY === true && process.env['CI'] === undefined && process.env['TERM'] !== 'dumb',
    environment: process.env,
  };
}
