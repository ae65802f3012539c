/** The program that checks dashboards against Grafana's schema. */
export function grafanaCheckPath(): Promise<string>;
