import type { TransferScores } from '@caricature/models';

export interface EvaluationReport {
  run: string;
  preset: string;
  scores: TransferScores;
  gridPng: Buffer;
  /** How many photos and avatars were kept from training. */
  photos: number;
  avatars: number;
}

const MEANING: Record<string, string> = {
  traitAgreement: 'Mean share of caricatures on which an independent judge reads the person’s true trait (higher is better)',
  traitAgreementChance: 'What the same readings would reach dealt out at random',
  labelPreservation: 'Share of caricatures that are still given the photo’s label: by the judge where source and target share labels, else by f (higher is better)',
  judgeAccuracy: 'Share of real target pictures whose label the judge reads right',
  identityTop1: 'Share of caricatures whose nearest person in f’s space is the right one (higher is better)',
  identityTop5: 'Share of caricatures with the right person among the five nearest (higher is better)',
  positionError: 'Mean distance, in pixels, of the caricatures’ eyes, nose and mouth from where the avatar drawn from the person’s true traits has them (lower is better)',
  positionErrorShare: 'The same as a share of the picture’s width',
  positionErrorPhoto: 'What the photos themselves would have, in pixels: a model that changes nothing',
  positionErrorAvatar: 'What real avatars have, each against the one drawn from its own traits, in pixels: as good as the reader can see',
  positionReaderError: 'The reader’s own error, in pixels, on avatars that it was not trained on and whose features were moved about',
  positionReaderErrorChance: 'What a reader that always gives the same answer reaches on them, in pixels',
  tidError: 'Mean squared change of an avatar by G, on −1…1 (lower is better)',
  frechetDistance: 'Distance of the caricatures’ distribution to the real avatars’ in the judge’s features (lower is better)',
  diversity: 'Variety of the caricatures relative to the avatars’ (1 is as varied)',
};

/** The evaluation as one HTML file that needs no other: scores with their meaning, traits against chance, and the pictures. */
export function renderReport({ run, preset, scores, gridPng, photos, avatars }: EvaluationReport): string {
  const { traits = {}, positions = {}, ...numbers } = scores;
  const rows = Object.entries(numbers as Record<string, number>).map(([name, value]) => `<tr><td>${name}</td><td>${value.toFixed(3)}</td><td>${MEANING[name] ?? ''}</td></tr>`);
  const traitRows = Object.entries(traits).map(
    ([name, { agreement, chance }]) => `<tr><td>${name}</td><td>${agreement.toFixed(2)}</td><td>${chance.toFixed(2)}</td><td><meter min="0" max="1" value="${agreement.toFixed(3)}"></meter></td></tr>`,
  );
  const positionRows = Object.entries(positions).map(([name, { error, photo, avatar }]) => `<tr><td>${name}</td><td>${error.toFixed(2)}</td><td>${photo.toFixed(2)}</td><td>${avatar.toFixed(2)}</td></tr>`);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Evaluation of ${escapeHtml(run)}</title>
<meta name="viewport" content="width=device-width">
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif } body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .3rem .8rem; text-align: left; border-bottom: 1px solid #8884 } td:nth-child(2) { font-variant-numeric: tabular-nums }
img { max-width: 100%; border-radius: 6px } meter { width: 12rem }
</style>
<h1>Evaluation of ${escapeHtml(run)}</h1>
<p>Preset ${escapeHtml(preset)}; read on ${photos} photos and ${avatars} avatars that no network was trained on.</p>
<h2>Photo · caricature · nearest avatar</h2>
<img alt="photos, their caricatures and the nearest avatars" src="data:image/png;base64,${gridPng.toString('base64')}">
<h2>Scores</h2>
<table><tr><th>score</th><th>value</th><th>meaning</th></tr>${rows.join('\n')}</table>
${traitRows.length > 0 ? `<h2>Traits</h2><table><tr><th>trait</th><th>agreement</th><th>chance</th><th></th></tr>${traitRows.join('\n')}</table>` : ''}
${positionRows.length > 0 ? `<h2>Feature positions, pixels from their true place</h2><table><tr><th>feature</th><th>caricature</th><th>photo</th><th>real avatar</th></tr>${positionRows.join('\n')}</table>` : ''}
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
