/**
 * Makes an element. Text only ever becomes text nodes: nothing that a resource, a worker or a log says is read as HTML.
 * @param {string} tag `div`, or `div.panel.flush` with classes
 * @param {Record<string, unknown>} attributes `on…` are listeners; undefined and false are left out
 * @param {(Node | string | number | undefined | null | false)[]} children
 */
export function element(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const node = document.createElement(name);
  if (classes.length > 0) node.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? '' : String(value));
  }
  node.append(...children.filter((child) => child !== undefined && child !== null && child !== false).map((child) => (child instanceof Node ? child : String(child))));
  return node;
}

/** Shows `node` in the place of what was there, unless it looks the same: focus, scrolling and selection stay. */
export function place(container, ...nodes) {
  const next = element('div', {}, ...nodes);
  if (container.dataset.shown === next.innerHTML) return;
  container.dataset.shown = next.innerHTML;
  container.replaceChildren(...next.childNodes);
}
