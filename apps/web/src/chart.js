import uPlot from '/vendor/uplot/uPlot.esm.js';
import { number } from './format.js';

/** Told apart by people who see red and green alike, on light and on dark. */
const COLORS = ['#6d5dfc', '#e8833a', '#12a594', '#e5487f', '#3e8eed', '#b58a00', '#9b59d0', '#6a8f2f', '#c2543b', '#5f7d95'];

/** Where nobody points, the legend says what came last. */
function showLast(plot) {
  plot.setLegend({ idx: plot.data[0].length - 1 }, false);
}

/** A line chart over steps; each line is given as `{name, points: [{step, avg}]}`. Drag to zoom, double click for everything. */
export class StepChart {
  #plot;
  #names = '';
  #isLogarithmic = false;
  #lines = [];
  #host;
  #observer;

  constructor(host) {
    this.#host = host;
    this.#observer = new ResizeObserver(() => this.#plot?.setSize(this.#size()));
    this.#observer.observe(host);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#rebuild());
  }

  setLogarithmic(isLogarithmic) {
    this.#isLogarithmic = isLogarithmic;
    this.#rebuild();
  }

  show(lines) {
    this.#lines = lines;
    const names = lines.map((l) => l.name).join('\n');
    if (!this.#plot || names !== this.#names) {
      this.#names = names;
      this.#rebuild();
    } else {
      this.#plot.setData(this.#data());
      if (this.#plot.cursor.idx === null || this.#plot.cursor.idx === undefined) showLast(this.#plot);
    }
  }

  close() {
    this.#observer.disconnect();
    this.#plot?.destroy();
  }

  #data() {
    const steps = [...new Set(this.#lines.flatMap((l) => l.points.map((p) => p.step)))].sort((a, b) => a - b);
    const at = new Map(steps.map((step, index) => [step, index]));
    const rows = this.#lines.map(({ points }) => {
      const row = new Array(steps.length).fill(undefined); // undefined: not measured at this step, so the line goes on to the next
      for (const { step, avg } of points) row[at.get(step)] = this.#isLogarithmic && avg <= 0 ? null : avg;
      return row;
    });
    return [steps, ...rows];
  }

  #rebuild() {
    this.#plot?.destroy();
    this.#plot = undefined;
    if (this.#lines.length === 0) return;
    const style = getComputedStyle(document.body);
    const grid = { stroke: style.getPropertyValue('--chart-grid'), width: 1 };
    const axis = { stroke: style.getPropertyValue('--chart-text'), grid, ticks: grid, font: '11px system-ui, sans-serif' };
    const series = this.#lines.map(({ name }, index) => ({ label: name, stroke: COLORS[index % COLORS.length], width: 1.75, points: { show: false }, spanGaps: true, value: (_u, v) => number(v) }));
    this.#plot = new uPlot({
      ...this.#size(),
      scales: { x: { time: false }, y: this.#isLogarithmic ? { distr: 3 } : {} },
      axes: [{ ...axis, values: (_u, ticks) => ticks.map(number) }, { ...axis, size: 58, values: (_u, ticks) => ticks.map((t) => (t === null ? '' : number(t))) }],
      series: [{ label: 'step', value: (_u, v) => number(v) }, ...series],
      cursor: { focus: { prox: 24 }, points: { size: 7 } },
      focus: { alpha: 0.35 },
      legend: { markers: { width: 0, fill: (_u, index) => COLORS[(index - 1) % COLORS.length] } },
      hooks: { setCursor: [(plot) => plot.cursor.idx === null && showLast(plot)] },
    }, this.#data(), this.#host);
    showLast(this.#plot);
  }

  #size() {
    return { width: Math.max(240, this.#host.clientWidth), height: 230 };
  }
}
