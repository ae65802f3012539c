import { loadImage } from './api.js';
import { element } from './element.js';
import { number } from './format.js';

const PLAY_MS = 450;

/** The sample grids of a run, with a slider over its steps. It follows the newest until somebody looks back. */
export function sampleViewer() {
  let samples = [];
  let follows = true;
  let player;
  const image = element('img', { alt: 'Sample grid: photos and their caricatures' });
  const slider = element('input', { type: 'range', min: 0, max: 0, value: 0, 'aria-label': 'Step of the sample' });
  const label = element('span.numbers.small.quiet', {});
  const play = element('button', { type: 'button' }, 'Play');
  const node = element('section.panel.sample', {}, element('div.toolbar', {}, element('h2', {}, 'Samples'), label), image, element('div.scrub', {}, play, slider));
  node.hidden = true;

  const draw = async () => {
    const sample = samples[Number(slider.value)];
    if (!sample) return;
    label.textContent = sample.step === undefined ? 'as scored' : `step ${number(sample.step)}`;
    if (image.dataset.path === sample.image) return;
    image.dataset.path = sample.image;
    await loadImage(image, sample.image).catch(() => undefined);
  };
  const stop = () => {
    clearInterval(player);
    player = undefined;
    play.textContent = 'Play';
  };
  slider.addEventListener('input', () => {
    stop();
    follows = Number(slider.value) === samples.length - 1;
    void draw();
  });
  image.addEventListener('error', () => (image.alt = 'This sample is no longer in the artifact store.'));
  play.addEventListener('click', () => {
    if (player) return stop();
    if (Number(slider.value) >= samples.length - 1) slider.value = '0';
    play.textContent = 'Pause';
    player = setInterval(() => {
      slider.value = String(Number(slider.value) + 1);
      follows = Number(slider.value) >= samples.length - 1;
      if (follows) stop();
      void draw();
    }, PLAY_MS);
    void draw();
  });

  return {
    node,
    show(next) {
      samples = next;
      node.hidden = samples.length === 0;
      slider.max = String(Math.max(0, samples.length - 1));
      slider.parentElement.hidden = samples.length < 2;
      if (follows) slider.value = slider.max;
      void draw();
    },
    close: stop,
  };
}
