import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CHART } from './chart.js';
import { promtool } from './prometheus.js';

const RULES = join(CHART, 'files/alerts.yaml');
const TESTS = join(import.meta.dirname, 'alerts.test.yaml');

interface RuleTest {
  alert_rule_test: { alertname: string; exp_alerts: unknown[] }[];
}

const alerts = (parse(readFileSync(RULES, 'utf8')) as { groups: { rules: { alert: string; labels: { severity: string } }[] }[] }).groups.flatMap(({ rules }) => rules);
const tests = (parse(readFileSync(TESTS, 'utf8')) as { tests: RuleTest[] }).tests.flatMap((test) => test.alert_rule_test);

describe('the alert rules', () => {
  it('are rules to Prometheus', async () => {
    const { ok, output } = await promtool(['check', 'rules', RULES]);
    expect(ok, output).toBe(true);
  });

  it('fire when and only when they should', async () => {
    const { ok, output } = await promtool(['test', 'rules', TESTS]);
    expect(ok, output).toBe(true);
  });

  it.each(alerts)('$alert is tested to fire and not to fire', ({ alert, labels }) => {
    const mine = tests.filter(({ alertname }) => alertname === alert);
    expect(mine.some(({ exp_alerts }) => exp_alerts.length > 0)).toBe(true);
    expect(mine.some(({ exp_alerts }) => exp_alerts.length === 0)).toBe(true);
    expect(['warning', 'critical']).toContain(labels.severity);
  });
});
