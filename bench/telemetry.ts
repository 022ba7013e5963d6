// pnpm bench:telemetry: the cost of traces and metrics. See --help.
import { type Report, reportCommand } from "@gatehouse/test-kit/run";
import { startCollector } from "./collector/collector.ts";
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

const LEAST_RATIO = 0.8;

const SETTINGS = {
  off: { OTEL_SDK_DISABLED: "true" },
  "10 % of traces": { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.1" },
  "every trace": { OTEL_TRACES_SAMPLER: "always_on" },
};
const NAMES = Object.keys(SETTINGS) as (keyof typeof SETTINGS)[];

async function bench(load: Load): Promise<Report> {
  await using collector = await startCollector("healthy");
  await using system = await startBenchSystem({
    pairs: NAMES.map((name, index) => ({
      ...SETTINGS[name],
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/${index}`, LOG_LEVEL: "warn" },
    })),
  });
  const begun = process.cpuUsage();
  const rounds = await runRounds(pairsOf(system, NAMES), load);
  const { user, system: kernel } = process.cpuUsage(begun);
  const answers = countAnswers(rounds);
  const sent = await collector.bytesBySender();
  const ratios = NAMES.map((name) => ratioOfRates(rounds[name], rounds.off));
  const [, sampled = 0] = ratios;
  return {
    passed: sampled >= LEAST_RATIO && answers.failed === 0 && NAMES.every((_, index) => !sent[index] === (index === 0)),
    figures: {
      ratios: Object.fromEntries(NAMES.map((name, index) => [name, ratios[index]])),
      ...answers,
      load,
      rounds,
      sent,
    },
    lines: [
      describeLoad(load, answers),
      ...NAMES.map(
        (name, index) =>
          `${name.padEnd(14)} ${ratios[index]?.toFixed(2)} of the throughput: ${describeRounds(rounds[name])}, ${((sent[index] ?? 0) / 1024).toFixed(0)} KiB sent`,
      ),
      `(10 % of traces: at least ${LEAST_RATIO}, median of rounds)`,
      `the load itself takes ${((user + kernel) / answers.answered).toFixed(0)} µs of CPU a request, on the same cores`,
    ],
  };
}

await withLoadOptions(
  reportCommand(
    "pnpm bench:telemetry",
    "Compares the throughput of GET /v1/users/me without telemetry, with metrics and 10 % of traces, and with every trace. The collector, the " +
      "load and all servers share the cores.",
    bench,
  ),
  20,
  2,
).parseAsync();
