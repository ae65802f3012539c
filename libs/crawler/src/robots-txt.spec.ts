import { describe, expect, it } from 'vitest';
import { disallowingRule, parseRobotsTxt } from './robots-txt.js';

const rule = (text: string, path: string, agent = 'caricature-crawler/0.1') => disallowingRule(parseRobotsTxt(text, agent), path);

describe('robots.txt', () => {
  it('obeys its own group rather than that of everybody, and merges its groups', () => {
    const text = 'User-agent: *\nDisallow: /\n\nUser-agent: other\nUser-agent: Caricature-Crawler\nDisallow: /a # why\n\nUser-agent: caricature-crawler\ndisallow: /b\nCrawl-delay: 2.5';
    expect(rule(text, '/c')).toBeUndefined();
    expect(rule(text, '/a/x')).toBe('/a');
    expect(rule(text, '/b')).toBe('/b');
    expect(rule(text, '/c', 'stranger/1')).toBe('/');
    expect(parseRobotsTxt(text, 'caricature-crawler').crawlDelaySeconds).toBe(2.5);
  });

  it('lets the longest rule decide and Allow win a tie', () => {
    const text = 'User-agent: *\nDisallow: /private/\nAllow: /private/open\nDisallow: /tie\nAllow: /tie';
    expect(rule(text, '/private/x')).toBe('/private/');
    expect(rule(text, '/private/open/x')).toBeUndefined();
    expect(rule(text, '/tie')).toBeUndefined();
  });

  it.each([
    ['/*.png$', '/a/b.png', true],
    ['/*.png$', '/a/b.png?x=1', false],
    ['/a*b', '/a-c-b-d', true],
    ['/a*b', '/a-c', false],
    ['/x$', '/x', true],
    ['/x$', '/xy', false],
    ['*?hair=', '/render?hair=1', true],
    ['/ab*ab$', '/ab', false],
    ['', '/x', false],
  ])('matches %s against %s: %s', (pattern, path, disallowed) => {
    expect(rule(`User-agent: *\nDisallow: ${pattern}`, path) !== undefined).toBe(disallowed);
  });

  it('does not hang on a pattern made to hang it', () => {
    expect(rule(`User-agent: *\nDisallow: /${'a*'.repeat(5000)}c$`, `/${'a'.repeat(20_000)}b`) === undefined).toBe(true);
  });
});
