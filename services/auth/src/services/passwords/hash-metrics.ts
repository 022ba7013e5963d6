import { isAppError } from "@gatehouse/errors";
import { inSpan } from "@gatehouse/observability";
import { metrics, SpanKind } from "@opentelemetry/api";
import type { HashQueue } from "./hash-queue.ts";

const WAIT = "gatehouse.password.hash.wait";
const DURATION_BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5];
const WAIT_BOUNDARIES = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export type HashOperation = "hash" | "verify";

/** Runs the work of hashing in its turn, as `queue` does, and measures it. Its span covers the wait, and says how long it was. */
export function measureHashing(queue: HashQueue) {
  const instruments = createInstruments(queue);

  return function run<T>(operation: HashOperation, task: () => Promise<T>): Promise<T> {
    return inSpan({ name: `${operation} password`, kind: SpanKind.INTERNAL }, async (span) => {
      const asked = performance.now();
      try {
        return await queue.run(async () => {
          const begun = performance.now();
          const wait = (begun - asked) / 1_000;
          instruments.wait.record(wait);
          span?.setAttribute(WAIT, wait);
          const result = await task();
          instruments.duration.record((performance.now() - begun) / 1_000, { operation });
          return result;
        });
      } catch (error) {
        if (isAppError(error, "ServiceUnavailable")) instruments.rejections.add(1);
        throw error;
      }
    });
  };
}

function createInstruments(queue: HashQueue) {
  const meter = metrics.getMeter("gatehouse");
  const depth = meter.createObservableGauge("gatehouse.password.hash.queue.depth", {
    unit: "{request}",
    description: "Requests that wait for their turn to be hashed.",
  });
  const running = meter.createObservableGauge("gatehouse.password.hash.running", {
    unit: "{request}",
    description: "Requests whose password is being hashed.",
  });
  meter.addBatchObservableCallback(
    (result) => {
      const now = queue.depth();
      result.observe(depth, now.waiting);
      result.observe(running, now.running);
    },
    [depth, running],
  );
  return {
    duration: meter.createHistogram("gatehouse.password.hash.duration", {
      unit: "s",
      description: "How long a hash took, without the wait for its turn.",
      advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
    }),
    wait: meter.createHistogram("gatehouse.password.hash.wait", {
      unit: "s",
      description: "How long those that got their turn had waited for it.",
      advice: { explicitBucketBoundaries: WAIT_BOUNDARIES },
    }),
    rejections: meter.createCounter("gatehouse.password.hash.rejections", {
      unit: "{request}",
      description: "Requests whose turn did not come in time, answered 503.",
    }),
  };
}
