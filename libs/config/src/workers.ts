import { z } from "zod";
import type { ConfigRule } from "./environment.ts";
import { integer } from "./variables.ts";

const MAX_REQUESTS = 1_000_000_000;
const JITTER_SHARE = 0.1;

/** How many processes of a service run on one host, and after how many requests each makes room for a fresh one. As Gunicorn's. */
export const workerVariables = {
  WEB_CONCURRENCY: integer({ min: 1, max: 64, fallback: 1 }),
  WEB_MAX_REQUESTS: integer({ min: 0, max: MAX_REQUESTS, fallback: 0 }),
  WEB_MAX_REQUESTS_JITTER: z.union([z.undefined(), integer({ min: 0, max: MAX_REQUESTS })]),
};

type Values = z.output<z.ZodObject<typeof workerVariables>>;

export interface WorkerSettings {
  /** 1: the process is alone and has no supervisor. */
  readonly count: number;
  /** Requests after which a worker is replaced; 0: never. */
  readonly maxRequests: number;
  /** Each worker adds a random part of so many to its maxRequests. */
  readonly maxRequestsJitter: number;
}

/** Unless told, workers are up to a tenth apart: those that began together shall not end together. */
export function workerSettings(values: Values): WorkerSettings {
  return {
    count: values.WEB_CONCURRENCY,
    maxRequests: values.WEB_MAX_REQUESTS,
    maxRequestsJitter: values.WEB_MAX_REQUESTS_JITTER ?? Math.ceil(values.WEB_MAX_REQUESTS * JITTER_SHARE),
  };
}

/** Refuses what would do nothing, or the wrong thing, with the number of processes that is asked for. */
export const fittingWorkers: ConfigRule<Values & { OTEL_METRICS_EXPORTER: string[] }> = function* (values) {
  const { WEB_CONCURRENCY: count, WEB_MAX_REQUESTS: maxRequests, OTEL_METRICS_EXPORTER: exporter } = values;
  if (count === 1 && maxRequests !== undefined && maxRequests > 0)
    yield {
      name: "WEB_MAX_REQUESTS",
      message: "needs a WEB_CONCURRENCY of at least 2: a process that is alone has nobody to replace it",
    };
  if (count !== undefined && count > 1 && exporter?.includes("prometheus"))
    yield {
      name: "OTEL_METRICS_EXPORTER",
      message:
        "must not be prometheus when WEB_CONCURRENCY is above 1: each request would meet another worker; use otlp",
    };
};
