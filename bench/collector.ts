// pnpm bench:collector: the cost of a broken collector. See --help.
import { type Report, reportCommand } from "@gatehouse/test-kit/run";
import { startCollector } from "./collector/collector.ts";
import { memoryOf } from "./support/processes.ts";
import { startBenchSystem } from "./support/system.ts";
import {
  countAnswers,
  describeLoad,
  describeRounds,
  type Load,
  pairsOf,
  ratioOfRates,
  runRounds,
  withLoadOptions,
} from "./support/throughput.ts";

const NAMES = ["healthy", "down", "refusing", "slow", "hanging"] as const;

/** Of the throughput with a healthy collector; the rest is noise. */
const LEAST_RATIO = 0.9;
/** Over the memory of a gateway with a healthy collector. */
const MEMORY_MIB = 64;
const STOP_SECONDS = 25;

async function bench(load: Load): Promise<Report> {
  await using releases = new AsyncDisposableStack();
  const collectors = await Promise.all(NAMES.map(startCollector));
  for (const collector of collectors) releases.use(collector);
  await using system = await startBenchSystem({
    pairs: collectors.map(({ url }) => ({
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_TRACES_SAMPLER: "always_on", LOG_LEVEL: "error" },
    })),
  });
  const memory = () => system.gateways.map((gateway) => memoryOf(gateway.pid()).rss);
  let before: number[] = [];
  const rounds = await runRounds(pairsOf(system, NAMES), load, () => (before = memory()));
  const after = memory();
  const findings: { name: string; ratio: number; before: number; after: number; end: string; seconds: number }[] = [];
  for (const [index, name] of NAMES.entries()) {
    const begun = performance.now();
    const end = (await system.gateways[index]?.stop()) ?? "";
    findings.push({
      ...{ name, ratio: ratioOfRates(rounds[name], rounds.healthy), end, seconds: (performance.now() - begun) / 1_000 },
      ...{ before: before[index] ?? Number.NaN, after: after[index] ?? Number.NaN },
    });
  }
  const answers = countAnswers(rounds);
  const allowedMib = (after[0] ?? 0) + MEMORY_MIB;
  return {
    passed:
      answers.failed === 0 &&
      findings.every(
        (one) =>
          one.ratio >= LEAST_RATIO &&
          one.after <= allowedMib &&
          one.end === "exit code 0" &&
          one.seconds <= STOP_SECONDS,
      ),
    figures: { ...answers, load, findings, rounds },
    lines: [
      describeLoad(load, answers),
      ...findings.map(
        (one, index) =>
          `${one.name.padEnd(8)} ${one.ratio.toFixed(2)} of the throughput: ${describeRounds(rounds[NAMES[index] ?? "healthy"])}; ` +
          `${one.before.toFixed(0)} to ${one.after.toFixed(0)} MiB; ${one.end} in ${one.seconds.toFixed(1)} s`,
      ),
      `(throughput at least ${LEAST_RATIO}, memory at most ${MEMORY_MIB} MiB over the healthy one, stopped within ${STOP_SECONDS} s)`,
    ],
  };
}

await withLoadOptions(
  reportCommand(
    "pnpm bench:collector",
    "Compares gateways that send every trace to a healthy collector, and to one that is down, refuses (503), answers after 30 s, or accepts " +
      "no connection: throughput, failed requests, memory, and how the gateway stops.",
    bench,
  ),
  4,
  5,
).parseAsync();
