// The few calls to the API server that the cluster makes for itself. Without a client library: these scripts run before there is one.
import https from 'node:https';

/**
 * @param {{url: string, ca: string, token: string}} access
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {string} [contentType]
 * @returns {Promise<any>} the answer's JSON
 * @throws {Error & {status: number}} when the server refuses
 */
export async function callApi(access, method, path, body, contentType = 'application/json') {
  const { status, text } = await request(access, method, path, body, contentType);
  if (status < 300) return JSON.parse(text);
  throw Object.assign(new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`), { status });
}

/** Whether a health endpoint answers with 200. */
export async function isHealthy(access, path) {
  return request(access, 'GET', path).then(({ status }) => status === 200, () => false);
}

function request({ url, ca, token }, method, path, body, contentType) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': contentType }) };
    // Until its certificate can be known, the server is only asked whether it is there.
    const trust = ca ? { ca } : { rejectUnauthorized: false };
    const call = https.request(url + path, { method, headers, timeout: 10_000, ...trust }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, text }));
      // A server that is killed in the middle of its answer.
      response.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error(`${url} does not answer`)));
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
