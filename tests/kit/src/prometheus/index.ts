export { checkQuery } from "./check-query.ts";
export { type DescribedInstrument, instrumentOf, type KnownSeries, seriesOf } from "./known-series.ts";
export { readQuery } from "./read-query.ts";
export { type Instrument, seriesNames } from "./series-name.ts";
export {
  dashboardQueries,
  ruleQueries,
  runbookQueries,
  stackRules,
  type StackQuery,
  withRecorded,
} from "./stack-queries.ts";
