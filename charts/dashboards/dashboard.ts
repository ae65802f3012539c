import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
  type Dashboard,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** A dashboard as it is read: rows of panels, each a few queries. */
export interface DashboardPlan {
  /** Last part of its address, and the name of its file. */
  name: string;
  title: string;
  description: string;
  /** What it can be narrowed down to: the name of the variable and of the label, and a metric that has the label. */
  variable?: { label: string; metric: string };
  rows: { title: string; panels: PanelPlan[] }[];
}

export interface PanelPlan {
  title: string;
  description: string;
  /** `number` shows the last value, `lines` its course. */
  shows: 'lines' | 'number';
  /** Of Grafana's units, such as `s`, `bytes`, `percentunit`. */
  unit: string;
  /** Fixed bounds of the axis. */
  min?: number;
  max?: number;
  queries: { expr: string; legend: string }[];
}

const PROMETHEUS = { type: 'prometheus', uid: '${datasource}' };
/** Columns of Grafana's grid. */
const WIDTH = 24;
const HEIGHT = { lines: 8, number: 4 };

/** Grafana's model of a dashboard: panels in rows, each row as wide as the page. */
export function buildDashboard(plan: DashboardPlan): Dashboard {
  const builder = new DashboardBuilder(plan.title)
    .uid(`caricature-${plan.name}`)
    .description(plan.description)
    .tags(['caricature'])
    .time({ from: 'now-6h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'));
  if (plan.variable) builder.withVariable(buildVariable(plan.variable));
  for (const row of plan.rows) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(buildPanel(panel, Math.floor(WIDTH / Math.min(row.panels.length, panel.shows === 'number' ? 6 : 2))));
  }
  return builder.build();
}

function buildVariable({ label, metric }: { label: string; metric: string }): QueryVariableBuilder {
  return new QueryVariableBuilder(label)
    .label(label)
    .datasource(PROMETHEUS)
    .query({ query: `label_values(${metric}, ${label})`, refId: label })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}

function buildPanel(plan: PanelPlan, span: number): TimeseriesBuilder | StatBuilder {
  const panel = plan.shows === 'number' ? new StatBuilder() : new TimeseriesBuilder().lineWidth(1).fillOpacity(5);
  panel.title(plan.title).description(plan.description).unit(plan.unit).datasource(PROMETHEUS).span(span).height(HEIGHT[plan.shows]);
  if (plan.min !== undefined) panel.min(plan.min);
  if (plan.max !== undefined) panel.max(plan.max);
  plan.queries.forEach(({ expr, legend }, index) => {
    const query = new DataqueryBuilder().refId(String.fromCharCode(65 + index)).expr(expr).legendFormat(legend).datasource(PROMETHEUS);
    panel.withTarget(plan.shows === 'number' ? query.instant() : query.range());
  });
  return panel;
}
