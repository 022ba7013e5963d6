// pnpm bench:workers: the gain of worker processes. See --help.
import { countOption, type Report, reportCommand } from "@gatehouse/test-kit/run";
import { startBenchSystem } from "./support/system.ts";
import {
  countAnswers,
  describeLoad,
  type Load,
  pairsOf,
  ratioOfRates,
  runRounds,
  withLoadOptions,
} from "./support/throughput.ts";

async function bench({ workers, ...load }: Load & { readonly workers: number }): Promise<Report> {
  const environment = { LOG_LEVEL: "warn", OTEL_SDK_DISABLED: "true" };
  await using system = await startBenchSystem({
    pairs: [environment, { ...environment, WEB_CONCURRENCY: String(workers) }],
  });
  const rounds = await runRounds(pairsOf(system, ["one", "several"] as const), load);
  const answers = countAnswers(rounds);
  const ratio = ratioOfRates(rounds.several, rounds.one);
  return {
    passed: answers.failed === 0,
    figures: { ratio, workers, ...answers, load, rounds },
    lines: [
      describeLoad(load, answers),
      `${workers} workers / one process: ${ratio.toFixed(2)} of the throughput (median of rounds)`,
    ],
  };
}

await withLoadOptions(
  reportCommand(
    "pnpm bench:workers",
    "Compares the throughput of GET /v1/users/me with WEB_CONCURRENCY workers and with one process. The load and all servers share the " +
      "cores, so the ratio grows with free cores.",
    bench,
  ).addOption(countOption("workers", "workers of each service", 2)),
  10,
  3,
).parseAsync();
