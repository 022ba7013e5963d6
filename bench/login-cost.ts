// pnpm bench:login: the cost of a login over the bare hash. See --help.
import { login, PASSWORD, register } from "@gatehouse/test-kit/api";
import {
  countOption,
  describeTimes,
  inParallel,
  quantile,
  type Report,
  reportCommand,
  showCount,
} from "@gatehouse/test-kit/run";
import { hash, verify } from "@node-rs/argon2";
import { availableParallelism } from "node:os";
import { startBenchSystem } from "./support/system.ts";

const MOST_RATIO = 1.1;
const A_ROUND = 100;
/** OWASP Password Storage Cheat Sheet, and the services' defaults. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const NAMES = ["bare", "auth", "gateway"] as const;

interface Options {
  readonly rounds: number;
  readonly hashes: number;
  readonly inFlight: number;
}

async function bench({ rounds, hashes, inFlight }: Options): Promise<Report> {
  await using system = await startBenchSystem({
    environment: {
      ARGON2_MEMORY_KIB: String(PARAMETERS.memoryCost),
      ARGON2_TIME_COST: String(PARAMETERS.timeCost),
      ARGON2_PARALLELISM: String(PARAMETERS.parallelism),
      PASSWORD_HASH_CONCURRENCY: String(hashes),
      LOG_LEVEL: "warn",
    },
  });
  const [url = ""] = system.urls;
  const { email } = await register(url);
  const passwordHash = await hash(PASSWORD, PARAMETERS);
  const tasks = {
    bare: () => verify(passwordHash, PASSWORD),
    auth: () => login(system.auth?.url ?? "", email),
    gateway: () => login(url, email),
  };
  const times: Record<(typeof NAMES)[number], number[]> = { bare: [], auth: [], gateway: [] };
  // Rounds of each in turn, so that a machine with varying speed is fair to all. The first one warms up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of NAMES) {
      const begun = performance.now();
      await inParallel(A_ROUND, name === "bare" ? hashes : inFlight, tasks[name]);
      if (round > 0) times[name].push(performance.now() - begun);
    }
    showCount("rounds", round, rounds);
  }
  const ratioOf = (samples: readonly number[]) =>
    quantile(
      samples.map((time, round) => time / (times.bare[round] ?? Number.NaN)),
      0.5,
    );
  const ratios = { auth: ratioOf(times.auth), gateway: ratioOf(times.gateway) };
  return {
    passed: ratios.auth <= MOST_RATIO,
    figures: { hashes, inFlight, aRound: A_ROUND, times, ratios },
    lines: [
      `${hashes} hashes and ${inFlight} logins at a time, ${A_ROUND} a round`,
      ...NAMES.map((name) => `${name.padEnd(8)} ${describeTimes(times[name])}`),
      `login at auth / bare hash:        ${ratios.auth.toFixed(2)} (median of rounds, at most ${MOST_RATIO})`,
      `login at the gateway / bare hash: ${ratios.gateway.toFixed(2)} (median of rounds)`,
    ],
  };
}

await reportCommand(
  "pnpm bench:login",
  "Compares a login with the bare Argon2id hash of the same parameters, with the same number of hashes at a time. Client, PostgreSQL and NATS " +
    "share the cores with the hashes; with fewer hashes than cores they have one for themselves.",
  bench,
)
  .addOption(countOption("rounds", "rounds of each kind", 10))
  .addOption(countOption("hashes", "hashes at a time, bare and in auth", availableParallelism()))
  .addOption(countOption("in-flight", "logins at a time", 8))
  .parseAsync();
