// pnpm bench:collector: what a collector that does not work costs. See --help.
import { parseCount } from "@gatehouse/test-kit/command";
import { Option } from "commander";
import { readFileSync } from "node:fs";
import { benchCommand, type BenchResult } from "./support/command.ts";
import { type BenchSystem, startSystem } from "./support/system.ts";
import { absentCollector, startCollector } from "./telemetry/collector.ts";
import { count, describeRounds, ratioOfRates } from "./telemetry/rounds.ts";
import { type Load, type Pair, pairsOf, registerUsers, type Round, takeTurns } from "./telemetry/throughput.ts";

const COLLECTORS = {
  healthy: () => startCollector("healthy"),
  away: absentCollector,
  refusing: () => startCollector("refusing"),
  slow: () => startCollector("slow"),
  hanging: () => startCollector("hanging"),
};
type Name = keyof typeof COLLECTORS;
const NAMES = Object.keys(COLLECTORS) as Name[];

/** Of a healthy one's throughput; what is between is noise. */
const RATIO = 0.9;
/** Over what a process holds that sends to a healthy one. */
const MEMORY_MIB = 64;
const STOP_S = 25;

interface Stopped {
  readonly how: string;
  readonly seconds: number;
}

/** Of a gateway that sends to one of them. */
interface Finding {
  readonly rounds: Round[];
  /** MiB, resident: after the first seconds, and at the end. */
  readonly memory: { readonly before: number; readonly after: number };
  readonly stopped: Stopped;
}

async function bench(load: Load): Promise<BenchResult> {
  const collectors = await Promise.all(NAMES.map((name) => COLLECTORS[name]()));
  try {
    const system = await startSystem({
      pairs: collectors.map(({ url }) => ({
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_TRACES_SAMPLER: "always_on",
        LOG_LEVEL: "error",
      })),
    });
    try {
      return report(load, await measure(system, load));
    } finally {
      await system.stop();
    }
  } finally {
    await Promise.all(collectors.map((collector) => collector.stop()));
  }
}

async function measure(system: BenchSystem, load: Load): Promise<Record<Name, Finding>> {
  const pairs = pairsOf(system, NAMES);
  const users = await registerUsers(pairs.healthy.gateway.url);
  const memory = () => NAMES.map((name) => residentMebibytes(pairs[name]));
  let before: number[] = [];
  const rounds = await takeTurns(pairs, users, load, () => (before = memory()));
  const after = memory();
  const findings: [Name, Finding][] = [];
  for (const [index, name] of NAMES.entries()) {
    const held = { before: before[index] ?? Number.NaN, after: after[index] ?? Number.NaN };
    findings.push([name, { rounds: rounds[name], memory: held, stopped: await stop(pairs[name]) }]);
  }
  return Object.fromEntries(findings) as Record<Name, Finding>;
}

async function stop({ gateway }: Pair): Promise<Stopped> {
  const begun = performance.now();
  const how = await gateway.stop();
  return { how, seconds: (performance.now() - begun) / 1_000 };
}

/** Linux. */
function residentMebibytes({ gateway }: Pair): number {
  const status = readFileSync(`/proc/${gateway.pid() ?? 0}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

function report({ rounds, seconds, inFlight }: Load, findings: Record<Name, Finding>): BenchResult {
  const { healthy } = findings;
  const { answered, failed } = count(Object.values(findings).flatMap((finding) => finding.rounds));
  const ratios = Object.fromEntries(NAMES.map((name) => [name, ratioOfRates(findings[name].rounds, healthy.rounds)]));
  const isFine = (name: Name) =>
    (ratios[name] ?? 0) >= RATIO &&
    findings[name].memory.after <= healthy.memory.after + MEMORY_MIB &&
    findings[name].stopped.how === "exit code 0" &&
    findings[name].stopped.seconds <= STOP_S;
  const line = (name: Name) => {
    const { rounds: own, memory, stopped } = findings[name];
    const held = `${memory.before.toFixed(0)} to ${memory.after.toFixed(0)} MiB`;
    const end = `${stopped.how} in ${stopped.seconds.toFixed(1)} s`;
    return `${name.padEnd(8)} ${(ratios[name] ?? 0).toFixed(2)} of a healthy one's throughput: ${describeRounds(own)}; ${held}; ${end}`;
  };
  return {
    passed: failed === 0 && NAMES.every(isFine),
    figures: { failed, answered, ratios, findings, seconds, inFlight },
    lines: [
      `${rounds} rounds of ${seconds} s of each, ${inFlight} requests at a time; ${failed} of ${answered + failed} failed`,
      ...NAMES.map(line),
      `(throughput at least ${RATIO}, resident memory at most ${MEMORY_MIB} MiB over a healthy one's, stopped within ${STOP_S} s)`,
    ],
  };
}

await benchCommand(
  "bench:collector",
  `What a collector costs that is away, that refuses everything (503), that answers after 30 s, or that leaves whoever connects without an
answer, against a healthy one: gateways that send every trace, each with a user service to itself, take turns with GET /v1/users/me.
Tells throughput, failed requests, the gateway's memory from the first seconds to the end, and how it stops.`,
  bench,
)
  .addOption(new Option("--rounds <count>", "rounds of each").argParser(parseCount).default(4))
  .addOption(new Option("--seconds <count>", "how long a round is").argParser(parseCount).default(5))
  .addOption(new Option("--in-flight <count>", "requests at a time").argParser(parseCount).default(32))
  .parseAsync();
