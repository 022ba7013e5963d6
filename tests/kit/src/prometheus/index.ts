export { checkQuery, readQuery } from "./query.ts";
export { type DescribedInstrument, type Instrument, instrumentOf, seriesNames, seriesOf } from "./series.ts";
export { dashboardQueries, ruleQueries, runbookQueries, stackRules, withRecorded } from "./stack-queries.ts";
