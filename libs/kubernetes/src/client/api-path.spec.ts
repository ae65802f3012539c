import { expect, it } from 'vitest';
import { podPath, resourcePath } from './api-path.js';

it('a path stays where it belongs, whatever its namespace and name are called', () => {
  expect(resourcePath('CrawlJob', 'team-a', 'avatars')).toBe('/apis/caricature.dev/v1alpha1/namespaces/team-a/crawljobs/avatars');
  expect(podPath()).toBe('/api/v1/pods');
  const path = resourcePath('CrawlJob', '../../../../api/v1/namespaces/kube-system/pods?x=', 'a/b');
  expect(new URL(path, 'https://api').pathname).toMatch(/^\/apis\/caricature\.dev\/v1alpha1\/namespaces\/[^/]+\/crawljobs\/a%2Fb$/);
});
