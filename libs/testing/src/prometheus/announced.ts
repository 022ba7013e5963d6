import type { DescribedInstrument } from "./known-series.ts";

/**
 * Instruments that dashboards and rules ask for already and that no service has yet. To be emptied as they come, and this file deleted with the
 * last of them.
 */
export const ANNOUNCED: readonly DescribedInstrument[] = [
  { name: "gatehouse.revocation.lag", unit: "s", kind: "histogram", attributes: [] },
  { name: "gatehouse.consumer.lag", unit: "{event}", kind: "gauge", attributes: ["consumer", "stream"] },
  {
    name: "messaging.process.duration",
    unit: "s",
    kind: "histogram",
    attributes: ["messaging.destination.name", "messaging.consumer.group.name", "error.type"],
  },
];
