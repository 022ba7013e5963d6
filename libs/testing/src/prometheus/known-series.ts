import type { ReceivedPoint } from "../telemetry/otlp-json.ts";
import { type Instrument, labelName, seriesNames } from "./series-name.ts";

/** Series by name, each with the labels that it may have. */
export type KnownSeries = ReadonlyMap<string, ReadonlySet<string>>;

export interface DescribedInstrument extends Instrument {
  readonly attributes: readonly string[];
}

/** What Prometheus knows of whoever sends by OTLP: `service.name` and `service.instance.id`. */
const OF_THE_SENDER = ["job", "instance"];

/** What Prometheus writes itself: its own alerts. */
const OWN: readonly [name: string, labels: readonly string[]][] = [["ALERTS", ["alertname", "alertstate", "severity"]]];

/** What can be queried when these instruments are sent; the same instrument may come several times, with other attributes. */
export function seriesOf(instruments: readonly DescribedInstrument[]): KnownSeries {
  const known = new Map<string, Set<string>>(OWN.map(([name, labels]) => [name, new Set(labels)]));
  for (const instrument of instruments)
    for (const name of seriesNames(instrument)) {
      const labels = known.get(name) ?? new Set(OF_THE_SENDER);
      if (name.endsWith("_bucket")) labels.add("le");
      for (const attribute of instrument.attributes) labels.add(labelName(attribute));
      known.set(name, labels);
    }
  return known;
}

/** What a point that a receiver got is a point of. */
export const instrumentOf = ({ metric, unit, kind, isMonotonic, attributes }: ReceivedPoint): DescribedInstrument => ({
  name: metric,
  unit,
  kind: kind === "sum" ? (isMonotonic ? "counter" : "up_down_counter") : kind,
  attributes: Object.keys(attributes),
});
