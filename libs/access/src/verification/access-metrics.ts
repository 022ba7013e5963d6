import { metrics } from "@opentelemetry/api";
import type { AuthState, Decider } from "./decider.ts";

/** Observes the staleness and size of the revocation view. Returns a function that stops it. */
export function observeView(view: { size(): number }, stalenessSeconds: () => number): () => void {
  const meter = metrics.getMeter("gatehouse");
  const staleness = meter.createObservableGauge("gatehouse.revocation.view.staleness", {
    unit: "s",
    description: "Time since the last live watermark of auth; before the first, since the process started.",
  });
  const entries = meter.createObservableGauge("gatehouse.revocation.view.entries", {
    unit: "{entry}",
    description: "Revocations in the view, of all kinds.",
  });
  const gauges = [staleness, entries];
  const observe: Parameters<typeof meter.addBatchObservableCallback>[0] = (result) => {
    // Infinity cannot be exported, and a missing value would hide a view that was never current.
    result.observe(staleness, Math.min(stalenessSeconds(), process.uptime()));
    result.observe(entries, view.size());
  };
  meter.addBatchObservableCallback(observe, gauges);
  return () => meter.removeBatchObservableCallback(observe, gauges);
}

/** Counts the changes of who decides whether tokens are revoked. */
export function createDeciderMetric(): (decider: Decider) => void {
  const changes = metrics.getMeter("gatehouse").createCounter("gatehouse.revocation.decider.changes", {
    unit: "{change}",
    description: "Changes of who decides whether tokens are revoked: view, auth (introspection), nobody (503).",
  });
  return (decider) => changes.add(1, { decider });
}

/** Counts introspection requests by outcome. */
export function createIntrospectionMetric(): (outcome: AuthState) => void {
  const requests = metrics.getMeter("gatehouse").createCounter("gatehouse.introspection.requests", {
    unit: "{request}",
    description: "Introspection requests to auth by outcome: answers, unreachable, faulty. A batch counts once.",
  });
  return (outcome) => requests.add(1, { outcome });
}
