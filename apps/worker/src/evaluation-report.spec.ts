import { expect, test } from 'vitest';
import { renderReport } from './evaluation-report.js';

const REPORT = { run: 'a <run>', preset: 'faces-64', gridPng: Buffer.from('png'), photos: 10, avatars: 12 };

test('every score stands beside its meaning, and where features are beside what photos and real avatars have', () => {
  const positions = { eyes: { error: 2.345, photo: 6, avatar: 1 }, mouth: { error: 1, photo: 5.432, avatar: 0.5 } };
  const scores = { tidError: 0.01, positionError: 1.6725, positionErrorShare: 0.0261, positionErrorPhoto: 5.716, positionErrorAvatar: 0.75, positionReaderError: 1.5, positionReaderErrorChance: 6.1, positions };
  const html = renderReport({ ...REPORT, scores });
  expect(html).toContain('Evaluation of a &#60;run&#62;');
  expect(html).toContain('<tr><td>eyes</td><td>2.35</td><td>6.00</td><td>1.00</td></tr>');
  expect(html).toContain('<tr><td>mouth</td><td>1.00</td><td>5.43</td><td>0.50</td></tr>');
  const meanings = [...html.matchAll(/<tr><td>(\w+)<\/td><td>[\d.]+<\/td><td>([^<]*)<\/td><\/tr>/g)];
  expect(meanings.map(([, name]) => name)).toEqual(Object.keys(scores).filter((name) => name !== 'positions'));
  for (const [, name, meaning] of meanings) expect(meaning, name).not.toBe('');
});

test('a run without true traits has no table of positions', () => {
  expect(renderReport({ ...REPORT, scores: { tidError: 0.01 } })).not.toContain('Feature positions');
});
