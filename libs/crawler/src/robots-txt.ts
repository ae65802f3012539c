/** What robots.txt says to one crawler. */
export interface RobotsRules {
  rules: { allow: boolean; path: string }[];
  crawlDelaySeconds: number | undefined;
}

/**
 * Reads robots.txt as RFC 9309: the groups of our product token (the user agent up to the first slash or blank), merged,
 * else those of `*`. Crawl-delay, which the RFC leaves out, is read too: servers that send it mean it.
 */
export function parseRobotsTxt(text: string, userAgent: string): RobotsRules {
  const product = (userAgent.split(/[/\s]/)[0] ?? '').toLowerCase();
  const groups = new Map<string, RobotsRules>();
  let agents: string[] = [];
  let naming = false;
  for (const line of text.slice(0, 512 * 1024).split(/\r\n|\r|\n/)) {
    const [, field, value] = /^\s*([A-Za-z-]+)\s*:\s*([^#]*?)\s*(?:#.*)?$/.exec(line) ?? [];
    if (field === undefined || value === undefined) continue;
    if (field.toLowerCase() === 'user-agent') {
      agents = naming ? [...agents, value.toLowerCase()] : [value.toLowerCase()];
      naming = true;
      for (const agent of agents) if (!groups.has(agent)) groups.set(agent, { rules: [], crawlDelaySeconds: undefined });
      continue;
    }
    naming = false;
    for (const agent of agents) addRule(groups.get(agent)!, field.toLowerCase(), value);
  }
  return groups.get(product) ?? groups.get('*') ?? { rules: [], crawlDelaySeconds: undefined };
}

function addRule(group: RobotsRules, field: string, value: string): void {
  if (field === 'crawl-delay' && Number(value) > 0) group.crawlDelaySeconds = Number(value);
  if ((field === 'allow' || field === 'disallow') && value !== '') group.rules.push({ allow: field === 'allow', path: value });
}

/** The rule that forbids a path (with its query), or undefined: the longest match decides, and Allow wins a tie. */
export function disallowingRule({ rules }: RobotsRules, path: string): string | undefined {
  let best: RobotsRules['rules'][number] | undefined;
  for (const rule of rules) {
    if (!matches(rule.path, path)) continue;
    const longer = rule.path.length - (best?.path.length ?? -1);
    if (longer > 0 || (longer === 0 && rule.allow)) best = rule;
  }
  return best && !best.allow ? best.path : undefined;
}

/** `*` stands for anything, `$` at the end for the end. Matched part by part: a regular expression could be made to hang. */
function matches(pattern: string, path: string): boolean {
  const toEnd = pattern.endsWith('$');
  const [first = '', ...parts] = (toEnd ? pattern.slice(0, -1) : pattern).split('*');
  if (!path.startsWith(first)) return false;
  if (parts.length === 0) return !toEnd || path === first;
  let position = first.length;
  const last = toEnd ? parts.pop()! : '';
  for (const part of parts) {
    const found = path.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return path.length - last.length >= position && path.endsWith(last);
}
