import { isAppError } from "@gatehouse/errors";
import { inSpan } from "@gatehouse/observability";
import { metrics, SpanKind } from "@opentelemetry/api";
import type { HashQueue } from "./hash-queue.ts";

const WAIT = "gatehouse.password.hash.wait";
const DURATION_BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5];
const WAIT_BOUNDARIES = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export type HashOperation = "hash" | "verify";

/** Returns a function that runs hashing tasks in `queue` and measures them. The span covers the wait and records its length. */
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
    description: "Requests waiting in the queue of password hashing.",
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
      description: "Time of one password hash, without the wait in the queue.",
      advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
    }),
    wait: meter.createHistogram("gatehouse.password.hash.wait", {
      unit: "s",
      description: "Time that hashed requests waited in the queue.",
      advice: { explicitBucketBoundaries: WAIT_BOUNDARIES },
    }),
    rejections: meter.createCounter("gatehouse.password.hash.rejections", {
      unit: "{request}",
      description: "Requests that got no hashing slot in time and failed with 503.",
    }),
  };
}
