// pnpm bench:telemetry: what traces and metrics cost a request. See --help.
import { parseCount } from "@gatehouse/test-kit/command";
import { Option } from "commander";
import { benchCommand, type BenchResult } from "./support/command.ts";
import { startSystem } from "./support/system.ts";
import { type Collector, startCollector } from "./telemetry/collector.ts";
import { count, describeRounds, ratioOfRates } from "./telemetry/rounds.ts";
import { type Load, pairsOf, registerUsers, type Round, takeTurns } from "./telemetry/throughput.ts";

const RATIO = 0.8;

/** As an operator would set them; each has an endpoint. */
const SETTINGS = {
  off: { OTEL_SDK_DISABLED: "true" },
  sampled: { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.1" },
  everything: { OTEL_TRACES_SAMPLER: "always_on" },
} as const;
type Setting = keyof typeof SETTINGS;
const NAMES = Object.keys(SETTINGS) as Setting[];
const LABELS: Record<Setting, string> = { off: "off", sampled: "10 % of traces", everything: "every trace" };

async function bench(load: Load): Promise<BenchResult> {
  const collector = await startCollector("healthy");
  try {
    const system = await startSystem({ pairs: NAMES.map((name) => environmentOf(name, collector)) });
    try {
      const pairs = pairsOf(system, NAMES);
      const users = await registerUsers(pairs.off.gateway.url);
      const generatorBegun = process.cpuUsage();
      const rounds = await takeTurns(pairs, users, load);
      const generator = process.cpuUsage(generatorBegun);
      return report(load, rounds, (generator.user + generator.system) / 1e6, await collector.bytesBySender());
    } finally {
      await system.stop();
    }
  } finally {
    await collector.stop();
  }
}

function environmentOf(name: Setting, collector: Collector): NodeJS.ProcessEnv {
  return { ...SETTINGS[name], OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/${name}`, LOG_LEVEL: "warn" };
}

function report(
  { rounds, seconds, inFlight }: Load,
  results: Record<Setting, Round[]>,
  generatorSeconds: number,
  sent: Record<string, number>,
): BenchResult {
  const { answered, failed } = count(Object.values(results).flat());
  const isSent = (name: Setting) => (sent[name] ?? 0) > 0;
  const ratios = {
    sampled: ratioOfRates(results.sampled, results.off),
    everything: ratioOfRates(results.everything, results.off),
  };
  const line = (name: Setting) =>
    `${LABELS[name].padEnd(14)} ${describeRounds(results[name])}, ${((sent[name] ?? 0) / 1024).toFixed(0)} KiB sent`;
  return {
    passed: ratios.sampled >= RATIO && failed === 0 && !isSent("off") && isSent("sampled") && isSent("everything"),
    figures: { ratios, failed, answered, rounds: results, seconds, inFlight, bytesSent: sent },
    lines: [
      `${rounds} rounds of ${seconds} s of each, ${inFlight} requests at a time; ${failed} of ${answered + failed} failed`,
      ...NAMES.map(line),
      `10 % of traces / off: ${ratios.sampled.toFixed(2)} of the throughput (median of rounds, at least ${RATIO})`,
      `every trace / off:    ${ratios.everything.toFixed(2)}`,
      `the load itself took ${((generatorSeconds / answered) * 1e6).toFixed(0)} µs of CPU a request, on the same cores`,
    ],
  };
}

await benchCommand(
  "bench:telemetry",
  `What telemetry costs GET /v1/users/me through the gateway: three gateways, each with a user service to itself, take turns with telemetry
off, with metrics and 10 % of traces, and with every trace. They send to a process that swallows it; that, the load, PostgreSQL and
NATS share the cores. Rate limits and the lines of requests in the log are off.`,
  bench,
)
  .addOption(new Option("--rounds <count>", "rounds of each").argParser(parseCount).default(20))
  .addOption(new Option("--seconds <count>", "how long a round is").argParser(parseCount).default(2))
  .addOption(new Option("--in-flight <count>", "requests at a time").argParser(parseCount).default(32))
  .parseAsync();
