const TOKEN = 'caricature-token';

/** The server wants a token, or another one than it was given. */
export class TokenNeededError extends Error {}

export function setToken(token) {
  sessionStorage.setItem(TOKEN, token);
}

const token = () => sessionStorage.getItem(TOKEN);
const headers = () => (token() ? { authorization: `Bearer ${token()}` } : {});

async function request(path, options = {}) {
  const response = await fetch(path, { ...options, headers: headers() });
  if (response.status === 401) throw new TokenNeededError();
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw Object.assign(new Error(problem.detail ?? `The controller answered ${response.status}.`), { status: response.status });
}

export const getJson = async (path) => (await request(`/api/v1/${path}`)).json();
export const getText = async (path) => (await request(`/api/v1/${path}`)).text();

/** Shows a picture of the API in an `<img>`, which itself can send no token. */
export async function loadImage(image, path) {
  if (!token()) {
    image.src = path;
    return;
  }
  const url = URL.createObjectURL(await (await request(path)).blob());
  image.addEventListener('load', () => URL.revokeObjectURL(url), { once: true });
  image.src = url;
}

/** Where one file of an artifact can be read. */
export const fileUrl = (digest, path) => `/api/v1/artifacts/${digest}/files/${path.split('/').map(encodeURIComponent).join('/')}`;

/** A link alone carries no token. */
export const needsToken = () => token() !== null;

/** Saves a file of the API under its name. */
export async function saveFile(url, path) {
  const copy = URL.createObjectURL(await (await request(url)).blob());
  const link = document.createElement('a');
  link.href = copy;
  link.download = path.split('/').at(-1);
  link.click();
  setTimeout(() => URL.revokeObjectURL(copy), 10_000);
}

/**
 * Gives each server-sent event to `onEvent`, and calls `onOpen` whenever the stream was opened (again), until `signal` aborts. EventSource
 * cannot send a token, hence by hand.
 */
export async function stream(path, { signal, onOpen, onEvent }) {
  while (!signal.aborted) {
    try {
      const response = await request(`/api/v1/${path}`, { signal });
      onOpen();
      let text = '';
      for await (const chunk of decoded(response.body)) {
        const blocks = (text + chunk).split('\n\n');
        text = blocks.pop();
        for (const block of blocks) parseEvent(block, onEvent);
      }
    } catch (error) {
      if (signal.aborted) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

async function* decoded(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
}

function parseEvent(block, onEvent) {
  const field = (name) => block.split('\n').filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2)).join('\n');
  const data = field('data');
  if (data) onEvent(field('event') || 'message', JSON.parse(data));
}
