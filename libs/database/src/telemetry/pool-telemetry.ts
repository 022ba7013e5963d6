import { startChild } from "@gatehouse/observability";
import { metrics, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { DURATION_BOUNDARIES, failureAttributes, type ServerAttributes } from "./server-attributes.ts";
import type { PoolStats } from "../pool/slots.ts";

/** An idle connection is returned sooner; waiting for one, opening it or checking it gets a span. */
const NOTEWORTHY_WAIT_MS = 1;

export interface PoolTelemetry {
  /** Takes a connection and records the wait. */
  observeTaking<R>(take: () => Promise<R>): Promise<R>;
  /** Counts a time-out. */
  timedOut(): void;
  close(): void;
}

/** @param name the pool's name in metrics, which distinguishes the pools of a process */
export function observePool(name: string, { server }: ServerAttributes, state: () => PoolStats): PoolTelemetry {
  const attributes = { "db.client.connection.pool.name": name };
  const meter = metrics.getMeter("gatehouse");
  const waits = meter.createHistogram("db.client.connection.wait_time", {
    unit: "s",
    description: "How long it took to get a connection of the pool, including opening it.",
    advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
  });
  const timeouts = meter.createCounter("db.client.connection.timeouts", {
    unit: "{timeout}",
    description: "Time-outs while waiting for a connection of the pool.",
  });
  // Exports the counter before the first time-out.
  timeouts.add(0, attributes);
  const description = {
    name: "wait for a connection",
    kind: SpanKind.INTERNAL,
    attributes: { ...server, ...attributes },
  };
  const close = observeConnections(attributes, state);

  return {
    async observeTaking(take) {
      const startTime = performance.now();
      try {
        const taken = await take();
        const waited = performance.now() - startTime;
        waits.record(waited / 1_000, attributes);
        if (waited >= NOTEWORTHY_WAIT_MS) startChild({ ...description, startTime })?.end();
        return taken;
      } catch (error) {
        const span = startChild({ ...description, startTime });
        span?.setAttributes(failureAttributes(error)).setStatus({ code: SpanStatusCode.ERROR }).end();
        throw error;
      }
    },
    timedOut: () => timeouts.add(1, attributes),
    close,
  };
}

/** Observes the pool when metrics are collected. Returns a function that stops it. */
function observeConnections(attributes: Readonly<Record<string, string>>, state: () => PoolStats): () => void {
  const meter = metrics.getMeter("gatehouse");
  const count = meter.createObservableUpDownCounter("db.client.connection.count", {
    unit: "{connection}",
    description: "Open connections of the pool.",
  });
  const most = meter.createObservableUpDownCounter("db.client.connection.max", {
    unit: "{connection}",
    description: "Maximum number of open connections.",
  });
  const pending = meter.createObservableUpDownCounter("db.client.connection.pending_requests", {
    unit: "{request}",
    description: "Requests that wait for a connection.",
  });
  const instruments = [count, most, pending];
  const observe: Parameters<typeof meter.addBatchObservableCallback>[0] = (result) => {
    const { total, idle, waiting, max } = state();
    result.observe(count, idle, { ...attributes, "db.client.connection.state": "idle" });
    result.observe(count, total - idle, { ...attributes, "db.client.connection.state": "used" });
    result.observe(most, max, attributes);
    result.observe(pending, waiting, attributes);
  };
  meter.addBatchObservableCallback(observe, instruments);
  return () => meter.removeBatchObservableCallback(observe, instruments);
}
