// pnpm bench:login: the cost of a login over the bare hash. See --help.
import { login, PASSWORD, register } from "@gatehouse/test-kit/api";
import { countOption, inParallel, quantile, showCount, summarize } from "@gatehouse/test-kit/run";
import { hash, verify } from "@node-rs/argon2";
import { availableParallelism } from "node:os";
import { benchCommand } from "./support/report.ts";
import { startBenchSystem } from "./support/system.ts";

const MOST_RATIO = 1.1;
const A_ROUND = 100;
const LOGINS_AT_ONCE = 8;
/** OWASP Password Storage Cheat Sheet, and the services' defaults. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

async function bench({ rounds, hashes }: { readonly rounds: number; readonly hashes: number }) {
  await using system = await startBenchSystem({
    environment: {
      ...{ ARGON2_MEMORY_KIB: "19456", ARGON2_TIME_COST: "2", ARGON2_PARALLELISM: "1", LOG_LEVEL: "warn" },
      PASSWORD_HASH_CONCURRENCY: String(hashes),
    },
  });
  const { email } = await register(system.url);
  const passwordHash = await hash(PASSWORD, PARAMETERS);
  const tasks = {
    bare: () => verify(passwordHash, PASSWORD),
    auth: () => login(system.auth?.url ?? "", email),
    gateway: () => login(system.url, email),
  };
  const times = { bare: [] as number[], auth: [] as number[], gateway: [] as number[] };
  // Rounds of each in turn, so that a machine with varying speed is fair to all. The first one warms up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of ["bare", "auth", "gateway"] as const) {
      const begun = performance.now();
      await inParallel(A_ROUND, name === "bare" ? hashes : LOGINS_AT_ONCE, tasks[name]);
      if (round > 0) times[name].push(performance.now() - begun);
    }
    showCount("rounds", round, rounds);
  }
  const ratioOf = (samples: readonly number[]) =>
    quantile(
      samples.map((time, round) => time / (times.bare[round] ?? Number.NaN)),
      0.5,
    );
  const milliseconds = Object.fromEntries(Object.entries(times).map(([name, samples]) => [name, summarize(samples)]));
  return {
    figures: { hashes, [`milliseconds of ${A_ROUND}`]: milliseconds, gatewayRatio: ratioOf(times.gateway) },
    bars: { "login at auth / bare hash": { figure: ratioOf(times.auth), most: MOST_RATIO } },
  };
}

await benchCommand(
  "pnpm bench:login",
  "Compares a login with the bare Argon2id hash of the same parameters, with the same number of hashes at a time. Client, PostgreSQL and NATS " +
    "share the cores with the hashes; with fewer hashes than cores they have one for themselves.",
  bench,
)
  .addOption(countOption("rounds", "rounds of each kind", 10))
  .addOption(countOption("hashes", "hashes at a time, bare and in auth", availableParallelism()))
  .parseAsync();
