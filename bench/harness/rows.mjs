// The rows that every benchmark gives: {what, unit, ours, peers: {name: figure}, ratio, goal}. The ratio compares ours to the best peer
// and is above 1 where ours is better.
import process from 'node:process';

/**
 * @param {{what: string, unit: string, ours: number, peers: Record<string, number>, goal?: number, lowerIsBetter?: boolean}} row
 */
export function createRow({ what, unit, ours, peers, goal, lowerIsBetter = true }) {
  const figures = Object.values(peers);
  const best = lowerIsBetter ? Math.min(...figures) : Math.max(...figures);
  const ratio = figures.length === 0 ? undefined : lowerIsBetter ? best / ours : ours / best;
  return { what, unit, ours, peers, ratio, goal };
}

export function printRows(rows, json) {
  if (json) return void process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  const cells = rows.map((r) => [
    r.what,
    `${figure(r.ours)} ${r.unit}`,
    Object.entries(r.peers).map(([name, value]) => `${name} ${figure(value)}`).join(', '),
    r.ratio === undefined ? '' : r.ratio.toFixed(2),
    r.goal === undefined ? '' : `≥ ${r.goal.toFixed(2)} ${r.ratio >= r.goal ? '✓' : '✗'}`,
  ]);
  const table = [['what', 'ours', 'peers', 'ratio', 'goal'], ...cells];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  for (const row of table) process.stdout.write(`${row.map((cell, i) => cell.padEnd(widths[i])).join('  ').trimEnd()}\n`);
}

function figure(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
