import { setToken, TokenNeededError } from './api.js';
import { element, place } from './element.js';
import { listPage } from './list.page.js';
import { modelsPage } from './models.page.js';
import { resourcePage } from './resource.page.js';

const page = document.getElementById('page');
const connection = document.getElementById('connection');
let leave = new AbortController();

function show() {
  leave.abort();
  leave = new AbortController();
  page.replaceChildren();
  delete page.dataset.shown;
  const parts = location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent);
  markNavigation(parts[0]);
  const context = { signal: leave.signal, every: (ms, task) => repeat(ms, task, leave.signal) };
  if (parts.length === 3) resourcePage(page, context, { kind: parts[0], namespace: parts[1], name: parts[2] });
  else if (parts[0] === 'models') modelsPage(page, context);
  else listPage(page, context);
}

/** Runs a task now and again until the page is left, one at a time; says so while the controller does not answer. */
async function repeat(ms, task, signal) {
  while (!signal.aborted) {
    try {
      if (!document.hidden) await task();
      if (!signal.aborted) connection.textContent = '';
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof TokenNeededError) return askForToken();
      if (error.status === 404) place(page, element('section.panel.empty', {}, element('h1', {}, 'It is not there'), element('p.quiet', {}, error.message)));
      connection.textContent = error.status ? error.message : 'The controller does not answer; trying again';
    }
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}

function askForToken() {
  leave.abort();
  const input = element('input', { type: 'password', name: 'token', 'aria-label': 'Token', autocomplete: 'current-password', required: true });
  const submit = (event) => {
    event.preventDefault();
    setToken(input.value);
    show();
  };
  delete page.dataset.shown;
  page.replaceChildren(element('section.panel.empty', {},
    element('h1', {}, 'A token is needed'),
    element('p.quiet', {}, "It is the controller's CARICATURE_API_TOKEN. It is kept until this tab is closed."),
    element('form.token', { onsubmit: submit }, input, element('button', { type: 'submit' }, 'Continue'))));
  input.focus();
}

function markNavigation(first) {
  for (const link of document.querySelectorAll('.bar nav a')) {
    link.toggleAttribute('aria-current', (link.hash === '#/models') === (first === 'models'));
  }
}

window.addEventListener('hashchange', show);
show();
