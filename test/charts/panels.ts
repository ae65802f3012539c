/** Series that only another exporter, or only a controller on a cluster, has. */
export const ELSEWHERE = /DCGM_|caricature_api_requests_total|caricature_watch_restarts_total/;

export interface PanelQuery {
  dashboard: string;
  panel: string;
  /** With everything chosen that can be. */
  expr: string;
}

/** The queries of a dashboard, as Grafana asks them when "All" is chosen. */
export function queriesOf(dashboard: string, json: string): PanelQuery[] {
  const { panels } = JSON.parse(json) as { panels: { title: string; targets?: { expr: string }[] }[] };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ dashboard, panel: title, expr: expr.replace(/"\$(run|crawl|model)"/g, '".*"').replaceAll('$__rate_interval', '4s') })),
  );
}
