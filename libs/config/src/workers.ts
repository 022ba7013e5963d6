import type { z } from "zod";
import type { ConfigRule } from "./environment.ts";
import { integer } from "./variables.ts";

/** The variable for the number of processes of a service on one host; its name is Gunicorn's. */
export const workerVariables = {
  WEB_CONCURRENCY: integer({ min: 1, max: 64, fallback: 1 }),
};

type Values = z.output<z.ZodObject<typeof workerVariables>>;

export interface WorkerSettings {
  /** 1: a single process without a supervisor. */
  readonly count: number;
}

export function workerSettings(values: Values): WorkerSettings {
  return { count: values.WEB_CONCURRENCY };
}

/** Refuses an exporter that cannot work with several processes on one port. */
export const metricsOfWorkers: ConfigRule<Values & { OTEL_METRICS_EXPORTER: string[] }> = function* (values) {
  const { WEB_CONCURRENCY: count, OTEL_METRICS_EXPORTER: exporter } = values;
  if (count !== undefined && count > 1 && exporter?.includes("prometheus"))
    yield {
      name: "OTEL_METRICS_EXPORTER",
      message:
        "must not be prometheus when WEB_CONCURRENCY is above 1, since each scrape would reach another worker. Use otlp.",
    };
};
