/** Series that only the exporter of NVIDIA's GPUs has. */
export const GPUS = /DCGM_/;
/** Series that only controllers on a cluster have. */
export const CLUSTER = /caricature_(leader|api_requests_total|watch_restarts_total)/;

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
