// pnpm bench:telemetry: throughput without telemetry, with 10 % of traces and with every trace. See --help.
import { call, type Person } from "@gatehouse/test-kit/api";
import { countOption, inParallel, quantile, showCount } from "@gatehouse/test-kit/run";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { cpuSecondsByProgram } from "./support/processes.ts";
import { benchCommand } from "./support/report.ts";
import { type BenchSystem, registerUsers, startBenchSystem } from "./support/system.ts";

const WARM_UP_SECONDS = 3;
const IN_FLIGHT = 32;
/** Least throughput with 10 % of traces. */
const LEAST_RATIO = 0.8;
const SETTINGS = {
  off: { OTEL_SDK_DISABLED: "true" },
  "10 % of traces": { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.1" },
  "every trace": { OTEL_TRACES_SAMPLER: "always_on" },
};

async function bench({ rounds, seconds }: { readonly rounds: number; readonly seconds: number }) {
  const collector = new Worker(new URL(import.meta.url));
  const [port] = (await once(collector, "message")) as [number];
  const common = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, LOG_LEVEL: "warn" };
  await using system = await startBenchSystem({
    pairs: Object.values(SETTINGS).map((setting) => ({ ...common, ...setting })),
  });
  const people = await registerUsers(system.url);
  const names = Object.keys(SETTINGS);
  const results = names.map(() => [] as Awaited<ReturnType<typeof runRound>>[]);
  for (const index of names.keys()) await runRound(system, index, people, WARM_UP_SECONDS);
  // In another order each time, so that a machine with varying speed is fair to all.
  for (let round = 0; round < rounds; round += 1) {
    for (const offset of names.keys()) {
      const index = (offset + round) % names.length;
      results[index]?.push(await runRound(system, index, people, seconds));
    }
    showCount("rounds", round + 1, rounds);
  }
  await collector.terminate();
  const median = (index: number, of: (round: number) => number | undefined) =>
    quantile(results[index]?.map((_, round) => of(round) ?? Number.NaN) ?? [], 0.5);
  const figures = names.map((name, index) => ({
    ...{ name, perSecond: median(index, (round) => results[index]?.[round]?.rate) },
    ratio: median(index, (round) => (results[index]?.[round]?.rate ?? 0) / (results[0]?.[round]?.rate ?? 0)),
    cpuMicroseconds: median(index, (round) => results[index]?.[round]?.cpuMicroseconds),
  }));
  const failed = results.flat().reduce((sum, round) => sum + round.failed, 0);
  return {
    figures: { rounds, seconds, failed, settings: figures },
    bars: {
      "throughput with 10 % of traces": { figure: figures[1]?.ratio ?? Number.NaN, least: LEAST_RATIO },
      "failed requests": { figure: failed, most: 0 },
    },
  };
}

/** Sends `GET /v1/users/me` again and again to one pair. The CPU is of its gateway and user service. */
async function runRound({ gateways, users }: BenchSystem, index: number, people: readonly Person[], seconds: number) {
  const pair = new Map([gateways[index]?.pid(), users[index]?.pid()].map((pid) => [pid, "pair"]));
  const cpuSeconds = () => cpuSecondsByProgram(pair)["pair"] ?? Number.NaN;
  let [answered, failed] = [0, 0];
  const [begun, cpuBegun] = [performance.now(), cpuSeconds()];
  await inParallel(IN_FLIGHT, IN_FLIGHT, async (number) => {
    const token = people[number % people.length]?.token;
    while (performance.now() < begun + seconds * 1_000) {
      const answer = await call(gateways[index]?.url ?? "", "GET", "/v1/users/me", { token }).catch(() => undefined);
      if (answer?.status === 200) answered += 1;
      else failed += 1;
    }
  });
  const rate = answered / ((performance.now() - begun) / 1_000);
  return { rate, failed, cpuMicroseconds: ((cpuSeconds() - cpuBegun) / answered) * 1e6 };
}

/** A collector in a thread, which parses nothing. */
function collect(): void {
  const server = createServer((request, response) => request.resume().once("end", () => response.end()));
  server.listen(0, "127.0.0.1", () => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread has no origin
    parentPort?.postMessage((server.address() as AddressInfo).port);
  });
}

if (isMainThread)
  await benchCommand(
    "pnpm bench:telemetry",
    "Compares the throughput of GET /v1/users/me without telemetry, with 10 % of traces and with every trace. The load, the collector " +
      "and all servers share the cores.",
    bench,
  )
    .addOption(countOption("rounds", "rounds of each", 20))
    .addOption(countOption("seconds", "seconds of a round", 2))
    .parseAsync();
else collect();
