// pnpm bench:workers, bench:telemetry and bench:collector: throughput with different settings. See --help.
import { call, type Person } from "@gatehouse/test-kit/api";
import { countOption, inParallel, quantile, type Report, reportCommand, showCount } from "@gatehouse/test-kit/run";
import type { ServiceHandle } from "@gatehouse/test-kit/system";
import { Command } from "commander";
import { type Behavior, startCollector } from "./support/collector.ts";
import { cpuSecondsOf, memoryOf } from "./support/processes.ts";
import { type BenchSystem, registerUsers, startBenchSystem } from "./support/system.ts";

interface Load {
  readonly rounds: number;
  readonly seconds: number;
  readonly inFlight: number;
}

interface Round {
  /** Answers with 200 a second. */
  readonly rate: number;
  readonly answered: number;
  readonly failed: number;
  /** Of gateway and user service together. */
  readonly cpuMicrosecondsEach: number;
}

const WARM_UP_SECONDS = 3;
/** Least throughput of the first setting: with 10 % of traces, and with a broken collector. The rest is noise. */
const TRACES_RATIO = 0.8;
const COLLECTOR_RATIO = 0.9;
/** Over the memory of a gateway with a healthy collector. */
const MEMORY_MIB = 64;
const STOP_SECONDS = 25;
const median = (values: readonly number[]) => quantile(values, 0.5);

/** The rounds of one setting, and its median throughput against the first setting's rounds next to them. */
interface Result {
  readonly name: string;
  readonly rounds: Round[];
  readonly ratio: number;
}

/** Runs rounds of each pair in turn, in another order each time, so that a machine with varying speed is fair to all. */
async function compare(
  { gateways, users }: BenchSystem,
  names: readonly string[],
  { rounds, seconds, inFlight }: Load,
  afterWarmUp?: () => void,
) {
  const people = await registerUsers(gateways[0]?.url ?? "");
  const results = names.map((name): Result => ({ name, rounds: [], ratio: Number.NaN }));
  const run = (index: number, length: number) => runRound(gateways[index], users[index], people, length, inFlight);
  for (const index of results.keys()) await run(index, WARM_UP_SECONDS);
  afterWarmUp?.();
  for (let round = 0; round < rounds; round += 1) {
    for (const offset of results.keys()) {
      const index = (offset + round) % names.length;
      results[index]?.rounds.push(await run(index, seconds));
    }
    showCount("rounds", round + 1, rounds);
  }
  const sum = (of: (round: Round) => number) =>
    results.flatMap((result) => result.rounds).reduce((total, round) => total + of(round), 0);
  const [answered, failed] = [sum((round) => round.answered), sum((round) => round.failed)];
  const ratioOf = (own: readonly Round[]) =>
    median(own.map(({ rate }, index) => rate / (results[0]?.rounds[index]?.rate ?? Number.NaN)));
  return {
    ...{ answered, failed, results: results.map((result) => ({ ...result, ratio: ratioOf(result.rounds) })) },
    line: `${rounds} rounds of ${seconds} s each, ${inFlight} requests at a time; ${failed} of ${answered + failed} failed`,
  };
}

/** Sends `GET /v1/users/me` again and again. */
async function runRound(
  gateway: ServiceHandle | undefined,
  user: ServiceHandle | undefined,
  people: readonly Person[],
  seconds: number,
  inFlight: number,
): Promise<Round> {
  const cpuSeconds = () => cpuSecondsOf(gateway?.pid()) + cpuSecondsOf(user?.pid());
  let [answered, failed] = [0, 0];
  const [begun, cpuBegun] = [performance.now(), cpuSeconds()];
  await inParallel(inFlight, inFlight, async (index) => {
    const token = people[index % people.length]?.token;
    while (performance.now() < begun + seconds * 1_000) {
      const answer = await call(gateway?.url ?? "", "GET", "/v1/users/me", { token }).catch(() => undefined);
      if (answer?.status === 200) answered += 1;
      else failed += 1;
    }
  });
  const rate = answered / ((performance.now() - begun) / 1_000);
  return { rate, answered, failed, cpuMicrosecondsEach: ((cpuSeconds() - cpuBegun) / answered) * 1e6 };
}

function describe({ name, rounds, ratio }: Result): string {
  const cpu = median(rounds.map(({ cpuMicrosecondsEach }) => cpuMicrosecondsEach));
  const rate = median(rounds.map((round) => round.rate));
  return `${name.padEnd(14)} ${ratio.toFixed(2)} of the throughput: ${rate.toFixed(0)}/s, ${cpu.toFixed(0)} µs of CPU a request in gateway and user service`;
}

async function benchWorkers({ workers, ...load }: Load & { readonly workers: number }): Promise<Report> {
  const one = { LOG_LEVEL: "warn", OTEL_SDK_DISABLED: "true" };
  await using system = await startBenchSystem({ pairs: [one, { ...one, WEB_CONCURRENCY: String(workers) }] });
  const { line, ...figures } = await compare(system, ["one process", `${workers} workers`], load);
  return {
    passed: figures.failed === 0,
    figures,
    lines: [
      line,
      `${workers} workers: ${(figures.results[1]?.ratio ?? Number.NaN).toFixed(2)} of the throughput of one process (median of rounds)`,
    ],
  };
}

async function benchTelemetry(load: Load): Promise<Report> {
  await using collector = await startCollector("healthy");
  const settings = {
    off: { OTEL_SDK_DISABLED: "true" },
    "10 % of traces": { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.1" },
    "every trace": { OTEL_TRACES_SAMPLER: "always_on" },
  };
  await using system = await startBenchSystem({
    pairs: Object.values(settings).map((setting, index) => ({
      ...{ ...setting, OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/${index}`, LOG_LEVEL: "warn" },
    })),
  });
  const begun = process.cpuUsage();
  const { line, ...figures } = await compare(system, Object.keys(settings), load);
  const { user, system: kernel } = process.cpuUsage(begun);
  const bytes = await collector.bytesBySender();
  const { results, answered, failed } = figures;
  return {
    passed:
      failed === 0 &&
      (results[1]?.ratio ?? 0) >= TRACES_RATIO &&
      results.every((_, index) => (bytes[index] === undefined) === (index === 0)),
    figures: { ...figures, bytes },
    lines: [
      line,
      ...results.map((one, index) => `${describe(one)}, ${((bytes[index] ?? 0) / 1024).toFixed(0)} KiB sent`),
      `(10 % of traces: at least ${TRACES_RATIO}, median of rounds)`,
      `load and collector take ${((user + kernel) / answered).toFixed(0)} µs of CPU a request, on the same cores`,
    ],
  };
}

async function benchCollector(load: Load): Promise<Report> {
  const names: readonly Behavior[] = ["healthy", "down", "refusing", "slow", "hanging"];
  await using releases = new AsyncDisposableStack();
  const collectors = await Promise.all(names.map(startCollector));
  for (const collector of collectors) releases.use(collector);
  await using system = await startBenchSystem({
    pairs: collectors.map(({ url }) => ({
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_TRACES_SAMPLER: "always_on", LOG_LEVEL: "error" },
    })),
  });
  const memory = () => system.gateways.map((gateway) => memoryOf(gateway.pid()).rss);
  let before: number[] = [];
  const { line, results, ...figures } = await compare(system, names, load, () => (before = memory()));
  const after = memory();
  const allowedMib = (after[0] ?? 0) + MEMORY_MIB;
  const findings = [];
  for (const [index, result] of results.entries()) {
    const begun = performance.now();
    const end = await system.gateways[index]?.stop();
    const seconds = (performance.now() - begun) / 1_000;
    const [first = Number.NaN, last = Number.NaN] = [before[index], after[index]];
    const isQuick = end === "exit code 0" && seconds <= STOP_SECONDS;
    findings.push({
      ...{ ...result, passed: result.ratio >= COLLECTOR_RATIO && last <= allowedMib && isQuick, first, last, seconds },
      line: `${describe(result)}; ${first.toFixed(0)} to ${last.toFixed(0)} MiB; ${end} in ${seconds.toFixed(1)} s`,
    });
  }
  return {
    passed: figures.failed === 0 && findings.every(({ passed }) => passed),
    figures: { ...figures, findings },
    lines: [
      ...[line, ...findings.map((finding) => finding.line)],
      `(throughput at least ${COLLECTOR_RATIO}, memory at most ${MEMORY_MIB} MiB over the healthy one, stopped within ${STOP_SECONDS} s)`,
    ],
  };
}

function command(
  name: string,
  what: string,
  [rounds, seconds]: readonly [number, number],
  bench: (options: never) => Promise<Report>,
): Command {
  const description = `Compares the throughput of GET /v1/users/me ${what}. The load and all servers share the cores.`;
  return reportCommand(name, description, bench)
    .addOption(countOption("rounds", "rounds of each", rounds))
    .addOption(countOption("seconds", "seconds of a round", seconds))
    .addOption(countOption("in-flight", "requests at a time", 32));
}

await new Command("pnpm")
  .addCommand(
    command(
      "bench:workers",
      "with one process of each service and with several workers",
      [10, 3],
      benchWorkers,
    ).addOption(countOption("workers", "workers of each service", 2)),
  )
  .addCommand(
    command("bench:telemetry", "without telemetry, with 10 % of traces and with every trace", [20, 2], benchTelemetry),
  )
  .addCommand(
    command(
      "bench:collector",
      "with a healthy collector and with one that is down, refuses (503), is slow (30 s), or accepts no connection; also memory and stop",
      [4, 5],
      benchCollector,
    ),
  )
  .parseAsync();
