// Run by `helm test`: the programs answer, and the API asks for its token.
const { CONTROLLER, CONTROLLER_TOKEN, INFERENCE } = process.env;
const resources = `${CONTROLLER}/api/v1/resources`;
const checks = [
  ['the controller is ready', `${CONTROLLER}/readyz`, undefined, 200],
  ['the controller has metrics', `${CONTROLLER}/metrics`, undefined, 200],
  ['the API refuses without a token', resources, undefined, 401],
  ['the API answers with the token', resources, CONTROLLER_TOKEN, 200],
  ...(INFERENCE ? [['the inference API is alive', `${INFERENCE}/healthz`, undefined, 200]] : []),
];
let failed = 0;
for (const [what, url, token, wanted] of checks) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const got = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) }).then((r) => r.status, (error) => error.cause?.message ?? error.message);
  console.log(`${got === wanted ? 'ok  ' : 'FAIL'} ${what}: ${got}`);
  if (got !== wanted) failed++;
}
process.exitCode = failed === 0 ? 0 : 1;
