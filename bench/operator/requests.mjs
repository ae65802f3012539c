// Requests that an API server has answered, by verb and resource: the same way of counting for every operator.
const LINE = /^apiserver_request_total\{(.*)\} (\S+)$/gm;
/** What the API server asks of itself, and what is asked by the clock. */
const QUIET = new Set([
  'leases', 'namespaces', 'serviceaccounts', 'apiservices', 'customresourcedefinitions', 'priorityclasses', 'flowschemas', 'prioritylevelconfigurations',
]);

/** @returns {Promise<Map<string, number>>} by words such as `PATCH jobs` or `PUT trainingruns/status` */
export async function countRequests(client) {
  const text = await client.text('/metrics');
  const counts = new Map();
  for (const [, labels, value] of text.matchAll(LINE)) {
    const { verb, resource, subresource } = Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, label]) => [name, label]));
    if (!resource || QUIET.has(resource)) continue;
    const what = `${verb} ${subresource ? `${resource}/${subresource}` : resource}`;
    counts.set(what, (counts.get(what) ?? 0) + Number(value));
  }
  return counts;
}

/** What came between two counts, without what this program asked itself (`own`), the most frequent first. */
export function requestsBetween(before, after, own = {}) {
  const counts = [...after].map(([what, count]) => [what, count - (before.get(what) ?? 0) - (own[what] ?? 0)]);
  return Object.fromEntries(counts.filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]));
}
