import { availableParallelism, loadavg } from "node:os";
import type { Load } from "./load/load.ts";
import type { StepResult } from "./plans/plan.ts";

/** What a drill found. */
export interface Report {
  readonly passed: boolean;
  readonly seed: string;
  readonly machine: { readonly cores: number; readonly node: string; readonly load: readonly number[] };
  readonly requests: { readonly answered: number; readonly failed: number; readonly perSecond: number };
  /** Answers by route and status. */
  readonly routes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly steps: readonly StepResult[];
  /** One line for each of the first failures. */
  readonly failures: readonly string[];
}

export function drawUp(seed: string, load: Load, steps: readonly StepResult[]): Report {
  const total = load.tally.total();
  return {
    passed: total.failed === 0,
    seed,
    machine: {
      cores: availableParallelism(),
      node: process.version,
      load: loadavg().map((each) => Math.round(each * 10) / 10),
    },
    requests: { ...total, perSecond: Math.round(load.rate()) },
    routes: load.tally.byRoute(),
    steps,
    failures: load.tally.failures,
  };
}

/** The report for people. */
export function printReport({ machine, requests, routes, steps, failures, passed, seed }: Report): string {
  const routeWidth = Math.max(...Object.keys(routes).map((route) => route.length));
  return [
    `machine: ${machine.cores} cores, Node ${machine.node}, load ${machine.load.join(", ")} (1, 5, 15 minutes)`,
    "",
    "answered  failed  seconds  step",
    ...steps.map(
      ({ chapter, step, seconds, answered, failed }) =>
        `${String(answered).padStart(8)}  ${String(failed).padStart(6)}  ${seconds.toFixed(1).padStart(7)}  ${chapter}: ${step}`,
    ),
    "",
    ...Object.entries(routes).map(([route, statuses]) => `${route.padEnd(routeWidth)}  ${describe(statuses)}`),
    ...(failures.length > 0 ? ["", ...failures] : []),
    "",
    `${passed ? "passed" : "FAILED"}: ${requests.answered} requests, ${requests.failed} failed, ${requests.perSecond}/s, seed ${seed}`,
  ].join("\n");
}

function describe(statuses: Readonly<Record<string, number>>): string {
  return Object.entries(statuses)
    .map(([status, count]) => `${status}: ${count}`)
    .join(", ");
}
