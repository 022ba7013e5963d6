/** What an instrument of OpenTelemetry is made of, as far as Prometheus names it after that. */
export interface Instrument {
  readonly name: string;
  /** In UCUM, as the instrument was made: `s`, `By`, `{event}`. */
  readonly unit: string;
  readonly kind: "counter" | "up_down_counter" | "gauge" | "histogram";
}

/** The units in use. Prometheus leaves out what stands in braces. */
const UNITS: Readonly<Record<string, string>> = { "": "", "1": "", s: "seconds", By: "bytes" };

/**
 * The series that Prometheus makes of an instrument that arrives by OTLP, by its strategy `UnderscoreEscapingWithSuffixes`, which is its
 * default (the package otlptranslator of Prometheus): dots become underscores, the unit is written out, a counter ends in `_total`, a gauge without a
 * dimension in `_ratio`, a histogram is three series.
 * @throws Error for a unit that no instrument has had yet
 */
export function seriesNames({ name, unit, kind }: Instrument): string[] {
  const suffix = unit.startsWith("{") ? "" : UNITS[unit];
  if (suffix === undefined) throw new Error(`How does Prometheus write the unit ${unit} of ${name}? Say it in UNITS.`);
  const words = name.split(/[^a-zA-Z0-9:]+/).filter((word) => word !== "");
  if (suffix !== "" && !words.includes(suffix)) words.push(suffix);
  const endingIn = (last: string) => [...words.filter((word) => word !== last), last].join("_");
  if (kind === "counter") return [endingIn("total")];
  if (kind === "gauge" && unit === "1") return [endingIn("ratio")];
  const base = words.join("_");
  return kind === "histogram" ? [`${base}_bucket`, `${base}_sum`, `${base}_count`] : [base];
}

/** The label that Prometheus makes of an attribute. */
export const labelName = (attribute: string): string => attribute.replaceAll(/[^a-zA-Z0-9_]/g, "_");
