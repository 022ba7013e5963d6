import type { ReceivedPoint } from "../telemetry/otlp-json.ts";
import { type Instrument, labelName, seriesNames } from "./series-name.ts";

/** The labels that a series may have, and of a histogram's buckets the values of `le`, where they are known. */
interface Series {
  readonly labels: ReadonlySet<string>;
  readonly bounds?: ReadonlySet<number>;
}

export type KnownSeries = ReadonlyMap<string, Series>;

export interface DescribedInstrument extends Instrument {
  readonly attributes: readonly string[];
  /** Of a histogram that was sent. */
  readonly bounds?: readonly number[];
}

/** What Prometheus knows of whoever sends by OTLP: `service.name` and `service.instance.id`. */
const OF_THE_SENDER = ["job", "instance"];

/** What Prometheus writes itself: its own alerts. */
const OWN: readonly [name: string, labels: readonly string[]][] = [["ALERTS", ["alertname", "alertstate", "severity"]]];

/** What can be queried when these instruments are sent; the same instrument may come several times, with other attributes. */
export function seriesOf(instruments: readonly DescribedInstrument[]): KnownSeries {
  const known = new Map<string, { labels: Set<string>; bounds?: ReadonlySet<number> }>(
    OWN.map(([name, labels]) => [name, { labels: new Set(labels) }]),
  );
  for (const instrument of instruments)
    for (const name of seriesNames(instrument)) {
      const series = known.get(name) ?? { labels: new Set(OF_THE_SENDER) };
      for (const attribute of instrument.attributes) series.labels.add(labelName(attribute));
      if (name.endsWith("_bucket")) {
        series.labels.add("le");
        if (instrument.bounds) series.bounds = new Set(instrument.bounds);
      }
      known.set(name, series);
    }
  return known;
}

/** What a point that a receiver got is a point of. */
export const instrumentOf = ({
  metric,
  unit,
  kind,
  isMonotonic,
  attributes,
  bounds,
}: ReceivedPoint): DescribedInstrument => ({
  name: metric,
  unit,
  kind: kind === "sum" ? (isMonotonic ? "counter" : "up_down_counter") : kind,
  attributes: Object.keys(attributes),
  ...(bounds && { bounds }),
});
