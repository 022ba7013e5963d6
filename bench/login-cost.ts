// What a login costs over the bare Argon2id hash at the same parameters and the same concurrency, in one run:
// rounds of both in turn, so that a machine whose speed drifts is fair to both.
// Usage: pnpm bench:login [rounds, default 10] [concurrency, default the number of cores]
import { hash, verify } from "@node-rs/argon2";
import { availableParallelism } from "node:os";
import { login, register } from "./support/client.ts";
import { describe, printMachine, progress, quantile } from "./support/report.ts";
import { startStack } from "./support/stack.ts";

const rounds = Number(process.argv[2] ?? 10);
const concurrency = Number(process.argv[3] ?? availableParallelism());
const A_ROUND = 100;
const OWASP = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Milliseconds for `A_ROUND` tasks, `concurrency` at a time. */
async function timed(task: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  let left = A_ROUND;
  const worker = async () => {
    while (left-- > 0) await task();
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return performance.now() - begun;
}

const stack = await startStack({
  ARGON2_MEMORY_KIB: String(OWASP.memoryCost),
  ARGON2_TIME_COST: String(OWASP.timeCost),
  ARGON2_PARALLELISM: String(OWASP.parallelism),
});
try {
  const { email } = await register(stack.url);
  const passwordHash = await hash("Correct-Horse-1", OWASP);
  const bare = () => verify(passwordHash, "Correct-Horse-1");
  const atAuth = () => login(`http://127.0.0.1:${stack.ports.auth}`, email);
  const atGateway = () => login(stack.url, email);
  for (const task of [bare, atAuth, atGateway]) await timed(task);

  const times = { bare: [] as number[], auth: [] as number[], gateway: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    times.bare.push(await timed(bare));
    times.auth.push(await timed(atAuth));
    times.gateway.push(await timed(atGateway));
    progress("rounds", round + 1, rounds);
  }
  printMachine();
  console.log(`concurrency ${concurrency}, ${A_ROUND} a round`);
  for (const [name, samples] of Object.entries(times)) console.log(`${name.padEnd(8)} ${describe(samples)}`);
  const ratios = (samples: number[]) => samples.map((time, round) => time / (times.bare[round] ?? Number.NaN));
  console.log(`login at auth / bare hash:        ${quantile(ratios(times.auth), 0.5).toFixed(3)} (median of rounds)`);
  console.log(
    `login at the gateway / bare hash: ${quantile(ratios(times.gateway), 0.5).toFixed(3)} (median of rounds)`,
  );
} finally {
  await stack.stop();
}
