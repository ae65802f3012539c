// A program under measurement. It says {"ready": …} once, then answers each line N on its standard input with the seconds that each of
// N rounds of its work took, and "end" with {"peakBytes": …}. So that several can take turns, it does nothing between two lines.
import { spawn } from 'node:child_process';
import process from 'node:process';
import readline from 'node:readline';

export class Contestant {
  /** @param {string} name @param {string} program @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
  static async start(name, program, args, env = {}) {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    const contestant = new Contestant(name, child);
    contestant.about = (await contestant.answer()).ready;
    return contestant;
  }

  constructor(name, child) {
    this.name = name;
    this.child = child;
    this.lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.errors = '';
    child.stderr.on('data', (chunk) => (this.errors = (this.errors + chunk).slice(-4000)));
  }

  /** @returns {Promise<number[]>} seconds of each round */
  async rounds(count) {
    this.child.stdin.write(`${count}\n`);
    return (await this.answer()).seconds;
  }

  /** Asks for something of the program's own by one line. @returns {Promise<object>} its answer */
  async ask(line) {
    this.child.stdin.write(`${line}\n`);
    return this.answer();
  }

  /** Ends the program. @returns {Promise<number>} the most memory that it had, in bytes */
  async end() {
    this.child.stdin.write('end\n');
    const { peakBytes } = await this.answer();
    this.child.stdin.end();
    return peakBytes;
  }

  kill() {
    this.child.kill('SIGKILL');
  }

  async answer() {
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done) throw new Error(`${this.name} ended early:\n${this.errors}`);
      // Libraries print what they like: only our own answers are JSON objects.
      if (value.startsWith('{')) return JSON.parse(value);
    }
  }
}

/**
 * Lets contestants take turns, so that whatever else the machine does meets all alike, after rounds that only warm them up.
 * @returns {Promise<Map<string, number>>} the median of each one's rounds, in seconds
 */
export async function takeTurns(contestants, { turns, rounds, warmUp }) {
  const seconds = new Map(contestants.map((c) => [c.name, []]));
  for (const c of contestants) await c.rounds(warmUp);
  for (let turn = 0; turn < turns; turn++) {
    // Every other turn goes the other way round: nobody is always the first.
    for (const c of turn % 2 ? [...contestants].reverse() : contestants) seconds.get(c.name).push(...(await c.rounds(rounds)));
  }
  return new Map([...seconds].map(([name, values]) => [name, median(values)]));
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}
