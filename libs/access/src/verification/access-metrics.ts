import { metrics } from "@opentelemetry/api";
import type { AuthState, Decider } from "./verdict.ts";

/** Measures how good the view of revocations is. @returns stops that */
export function observeView(view: { size(): number }, stalenessSeconds: () => number): () => void {
  const meter = metrics.getMeter("gatehouse");
  const staleness = meter.createObservableGauge("gatehouse.revocation.view.staleness", {
    unit: "s",
    description: "How long ago auth last vouched for the view; before the first time, since the process began.",
  });
  const entries = meter.createObservableGauge("gatehouse.revocation.view.entries", {
    unit: "{entry}",
    description: "Revocations held, of all kinds.",
  });
  const gauges = [staleness, entries];
  const observe: Parameters<typeof meter.addBatchObservableCallback>[0] = (result) => {
    // Infinity cannot be sent, and a missing value would hide just the view that nobody has ever vouched for.
    result.observe(staleness, Math.min(stalenessSeconds(), process.uptime()));
    result.observe(entries, view.size());
  };
  meter.addBatchObservableCallback(observe, gauges);
  return () => meter.removeBatchObservableCallback(observe, gauges);
}

/** Counts whenever somebody else decides about tokens than before. */
export function createDeciderMetric(): (decider: Decider) => void {
  const changes = metrics.getMeter("gatehouse").createCounter("gatehouse.revocation.decider.changes", {
    unit: "{change}",
    description: "Times that the decision about tokens went over to: view, auth (introspection), nobody (503).",
  });
  return (decider) => changes.add(1, { decider });
}

/** Counts questions to auth, a batch as one, by what came of them. */
export function createIntrospectionMetric(): (outcome: AuthState) => void {
  const requests = metrics.getMeter("gatehouse").createCounter("gatehouse.introspection.requests", {
    unit: "{request}",
    description: "Questions to auth, a batch as one, by what came of them: answers, unreachable, faulty.",
  });
  return (outcome) => requests.add(1, { outcome });
}
