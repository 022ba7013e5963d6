// pnpm bench:workers: what a second worker process brings. See --help.
import { parseCount } from "@gatehouse/test-kit/command";
import { Option } from "commander";
import { benchCommand, type BenchResult } from "./support/command.ts";
import { startSystem } from "./support/system.ts";
import { count, ratioOfRates } from "./telemetry/rounds.ts";
import { type Load, pairsOf, registerUsers, takeTurns } from "./telemetry/throughput.ts";

interface Options extends Load {
  readonly workers: number;
}

async function bench({ workers, ...load }: Options): Promise<BenchResult> {
  const environment = { LOG_LEVEL: "warn", OTEL_SDK_DISABLED: "true" };
  const system = await startSystem({ pairs: [environment, { ...environment, WEB_CONCURRENCY: String(workers) }] });
  try {
    const pairs = pairsOf(system, ["one", "several"]);
    const users = await registerUsers(pairs.one.gateway.url);
    const { one, several } = await takeTurns(pairs, users, load);
    const { answered, failed } = count([...one, ...several]);
    const ratio = ratioOfRates(several, one);
    return {
      passed: failed === 0,
      figures: { ratio, workers, failed, answered, ...load, rounds: { one, several } },
      lines: [
        `${load.rounds} rounds of ${load.seconds} s of each, ${load.inFlight} requests at a time; ${failed} of ${answered + failed} failed`,
        `${workers} workers / one process: ${ratio.toFixed(2)} of the throughput (median of rounds)`,
      ],
    };
  } finally {
    await system.stop();
  }
}

await benchCommand(
  "bench:workers",
  `What WEB_CONCURRENCY does for GET /v1/users/me through the gateway: a gateway and a user service of one process each take turns with
a gateway and a user service of several workers each. The load, PostgreSQL, NATS and auth share the cores with them, so the ratio grows
with the cores that are left.`,
  bench,
)
  .addOption(new Option("--workers <count>", "workers of each service").argParser(parseCount).default(2))
  .addOption(new Option("--rounds <count>", "rounds of each").argParser(parseCount).default(10))
  .addOption(new Option("--seconds <count>", "how long a round is").argParser(parseCount).default(3))
  .addOption(new Option("--in-flight <count>", "requests at a time").argParser(parseCount).default(32))
  .parseAsync();
