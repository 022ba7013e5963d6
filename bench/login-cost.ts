// pnpm bench:login: what a login costs over the bare hash. See --help.
import { parseCount } from "@gatehouse/test-kit/command";
import { hash, verify } from "@node-rs/argon2";
import { Option } from "commander";
import { availableParallelism } from "node:os";
import { login, register } from "./support/client.ts";
import { benchCommand, type BenchResult } from "./support/command.ts";
import { describe, progress, quantile } from "./support/report.ts";
import { startStack } from "./support/stack.ts";

interface Options {
  readonly rounds: number;
  /** Hashes at a time, bare and in auth. */
  readonly hashes: number;
  /** Logins at a time; those that are not being hashed are on their way. */
  readonly inFlight: number;
}

const RATIO = 1.1;
const A_ROUND = 100;
const PASSWORD = "Correct-Horse-1";
/** OWASP Password Storage Cheat Sheet, and the services' defaults. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Rounds of each in turn, so that a machine whose speed drifts is fair to all. */
async function bench({ rounds, hashes, inFlight }: Options): Promise<BenchResult> {
  const stack = await startStack({
    ARGON2_MEMORY_KIB: String(PARAMETERS.memoryCost),
    ARGON2_TIME_COST: String(PARAMETERS.timeCost),
    ARGON2_PARALLELISM: String(PARAMETERS.parallelism),
    PASSWORD_HASH_CONCURRENCY: String(hashes),
  });
  try {
    const { email } = await register(stack.url);
    const passwordHash = await hash(PASSWORD, PARAMETERS);
    const tasks = {
      bare: () => verify(passwordHash, PASSWORD),
      auth: () => login(`http://127.0.0.1:${stack.ports.auth}`, email),
      gateway: () => login(stack.url, email),
    };
    const times: Record<keyof typeof tasks, number[]> = { bare: [], auth: [], gateway: [] };
    const names = Object.keys(tasks) as (keyof typeof tasks)[];
    const atOnce = { bare: hashes, auth: inFlight, gateway: inFlight };
    for (const name of names) await timeRound(tasks[name], atOnce[name]);
    for (let round = 0; round < rounds; round += 1) {
      for (const name of names) times[name].push(await timeRound(tasks[name], atOnce[name]));
      progress("rounds", round + 1, rounds);
    }
    return report(times, hashes, inFlight);
  } finally {
    await stack.stop();
  }
}

/** Milliseconds for `A_ROUND` tasks, `concurrency` at a time. */
async function timeRound(task: () => Promise<unknown>, concurrency: number): Promise<number> {
  const begun = performance.now();
  let left = A_ROUND;
  const worker = async () => {
    while (left-- > 0) await task();
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return performance.now() - begun;
}

function report(times: Record<"bare" | "auth" | "gateway", number[]>, hashes: number, inFlight: number): BenchResult {
  const ratio = (samples: readonly number[]) =>
    quantile(
      samples.map((time, round) => time / (times.bare[round] ?? Number.NaN)),
      0.5,
    );
  const ratios = { auth: ratio(times.auth), gateway: ratio(times.gateway) };
  return {
    passed: ratios.auth <= RATIO,
    figures: { hashes, inFlight, aRound: A_ROUND, times, ratios },
    lines: [
      `${hashes} hashes and ${inFlight} logins at a time, ${A_ROUND} a round`,
      ...Object.entries(times).map(([name, samples]) => `${name.padEnd(8)} ${describe(samples)}`),
      `login at auth / bare hash:        ${ratios.auth.toFixed(2)} (median of rounds, at most ${RATIO})`,
      `login at the gateway / bare hash: ${ratios.gateway.toFixed(2)} (median of rounds)`,
    ],
  };
}

await benchCommand(
  "bench:login",
  "What a login costs over the bare Argon2id hash at the same parameters, with the same number of hashes at a time. Client, PostgreSQL and NATS share the cores with the hashes: with fewer hashes than cores they have one to themselves.",
  bench,
)
  .addOption(new Option("--rounds <count>", "rounds of each kind").argParser(parseCount).default(10))
  .addOption(
    new Option("--hashes <count>", "hashes at a time, bare and in auth")
      .argParser(parseCount)
      .default(availableParallelism()),
  )
  .addOption(new Option("--in-flight <count>", "logins at a time").argParser(parseCount).default(8))
  .parseAsync();
