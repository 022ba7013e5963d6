import type { ReceivedPoint } from "../telemetry/otlp-json.ts";

/** The properties of an OpenTelemetry instrument that give its series their names. */
export interface Instrument {
  readonly name: string;
  /** In UCUM: `s`, `By`, `{event}`. */
  readonly unit: string;
  readonly kind: "counter" | "up_down_counter" | "gauge" | "histogram";
}

/** Prometheus omits units in braces. */
const UNITS: Readonly<Record<string, string>> = { "": "", "1": "", s: "seconds", By: "bytes" };

/**
 * Returns the names that Prometheus' default strategy, `UnderscoreEscapingWithSuffixes` (package otlptranslator), gives an instrument.
 * @throws Error for an unknown unit
 */
export function seriesNames({ name, unit, kind }: Instrument): string[] {
  const suffix = unit.startsWith("{") ? "" : UNITS[unit];
  if (suffix === undefined) throw new Error(`The unit ${unit} of ${name} is unknown. Add it to UNITS.`);
  const words = name.split(/[^a-zA-Z0-9:]+/).filter((word) => word !== "");
  if (suffix !== "" && !words.includes(suffix)) words.push(suffix);
  const endingIn = (last: string) => [...words.filter((word) => word !== last), last].join("_");
  if (kind === "counter") return [endingIn("total")];
  if (kind === "gauge" && unit === "1") return [endingIn("ratio")];
  const base = words.join("_");
  return kind === "histogram" ? [`${base}_bucket`, `${base}_sum`, `${base}_count`] : [base];
}

/** Series by name, with their labels and, where known, the values of `le`. */
export type KnownSeries = ReadonlyMap<string, { labels: ReadonlySet<string>; bounds?: ReadonlySet<number> }>;

export interface DescribedInstrument extends Instrument {
  readonly attributes: readonly string[];
  readonly bounds?: readonly number[];
}

/** Returns the series of these instruments, and Prometheus' own. An instrument may occur with several sets of attributes. */
export function seriesOf(instruments: readonly DescribedInstrument[]): KnownSeries {
  const known = new Map<string, { labels: Set<string>; bounds?: ReadonlySet<number> }>([
    ["ALERTS", { labels: new Set(["alertname", "alertstate", "severity"]) }],
  ]);
  for (const instrument of instruments)
    for (const name of seriesNames(instrument)) {
      // Prometheus makes `job` and `instance` of service.name and service.instance.id.
      const series = known.get(name) ?? { labels: new Set(["job", "instance"]) };
      for (const attribute of instrument.attributes) series.labels.add(attribute.replaceAll(/[^a-zA-Z0-9_]/g, "_"));
      if (name.endsWith("_bucket")) {
        series.labels.add("le");
        if (instrument.bounds) series.bounds = new Set(instrument.bounds);
      }
      known.set(name, series);
    }
  return known;
}

/** Returns the instrument of a received point. */
export const instrumentOf = (point: ReceivedPoint): DescribedInstrument => ({
  name: point.metric,
  unit: point.unit,
  kind: point.kind === "sum" ? (point.isMonotonic ? "counter" : "up_down_counter") : point.kind,
  attributes: Object.keys(point.attributes),
  ...(point.bounds && { bounds: point.bounds }),
});
