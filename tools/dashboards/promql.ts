/** What is chosen at the top of the dashboard. */
const CHOSEN = 'job=~"$service",instance=~"$instance"';

type Labels = readonly string[];

const selector = (metric: string, where: string) => `${metric}{${CHOSEN}${where && `,${where}`}}`;

/** Gauges added up to these labels; `where` are further matchers. */
export const total = (gauge: string, by: Labels, where = ""): string =>
  `sum by (${by.join(", ")}) (${selector(gauge, where)})`;

/** Of gauges that say the same, or of which the worst counts, the highest by these labels. */
export const most = (gauge: string, by: Labels): string => `max by (${by.join(", ")}) (${selector(gauge, "")})`;

/** How much a counter grows a second, added up to these labels. */
export const rate = (counter: string, by: Labels, where = ""): string =>
  `sum by (${by.join(", ")}) (rate(${selector(counter, where)}[$__rate_interval]))`;

/** By how much a counter has grown within a time such as `1h`. */
export const increase = (counter: string, by: Labels, within: string, where = ""): string =>
  `sum by (${by.join(", ")}) (increase(${selector(counter, where)}[${within}]))`;

/** A quantile of a histogram, which is given without `_bucket`. */
export const quantile = (of: number, histogram: string, by: Labels, where = ""): string =>
  `histogram_quantile(${of}, ${rate(`${histogram}_bucket`, ["le", ...by], where)})`;

/** The share of a counter that has these matchers, 0 where nothing has. */
export const share = (counter: string, by: Labels, of: string): string => {
  const all = rate(counter, by);
  return `(${rate(counter, by, of)} or 0 * ${all}) / ${all}`;
};

/** The median and the slow end, by these labels. */
export const quantiles = (histogram: string, by: Labels, where = "") =>
  [0.5, 0.99].map((of) => ({
    query: quantile(of, histogram, by, where),
    legend: [...by.map((label) => `{{${label}}}`), `p${of * 100}`].join(" "),
  }));
