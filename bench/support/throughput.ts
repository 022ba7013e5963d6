import { call, type Person } from "@gatehouse/test-kit/api";
import { countOption, inParallel, quantile, showCount } from "@gatehouse/test-kit/run";
import type { ServiceHandle } from "@gatehouse/test-kit/system";
import type { Command } from "commander";
import { cpuSecondsOf } from "./processes.ts";
import { type BenchSystem, registerUsers } from "./system.ts";

// Compares pairs of a gateway and a user service by their throughput.

export interface Pair {
  readonly gateway: ServiceHandle | undefined;
  readonly user: ServiceHandle | undefined;
}

export interface Round {
  /** Answers with 200 a second. */
  readonly rate: number;
  readonly answered: number;
  readonly failed: number;
  /** Of gateway and user service together. */
  readonly cpuMicrosecondsEach: number;
}

export interface Load {
  readonly rounds: number;
  readonly seconds: number;
  readonly inFlight: number;
}

const WARM_UP_SECONDS = 3;
const median = (values: readonly number[]) => quantile(values, 0.5);

export function withLoadOptions(command: Command, rounds: number, seconds: number): Command {
  return command
    .addOption(countOption("rounds", "rounds of each", rounds))
    .addOption(countOption("seconds", "seconds of a round", seconds))
    .addOption(countOption("in-flight", "requests at a time", 32));
}

/** The pairs of a system, in the order of its environments. */
export function pairsOf<Name extends string>(system: BenchSystem, names: readonly Name[]): Record<Name, Pair> {
  const { gateways, users } = system;
  const pairs = names.map((name, index) => [name, { gateway: gateways[index], user: users[index] }]);
  return Object.fromEntries(pairs) as Record<Name, Pair>;
}

/** Runs rounds of each pair in turn, in another order each time, so that a machine with varying speed is fair to all. */
export async function runRounds<Name extends string>(
  pairs: Readonly<Record<Name, Pair>>,
  { rounds, seconds, inFlight }: Load,
  afterWarmUp?: () => void,
): Promise<Record<Name, Round[]>> {
  const names = Object.keys(pairs) as Name[];
  const users = await registerUsers(pairs[names[0] as Name].gateway?.url ?? "");
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Round[]>;
  for (const name of names) await runRound(pairs[name], users, WARM_UP_SECONDS, inFlight);
  afterWarmUp?.();
  for (let round = 0; round < rounds; round += 1) {
    const order = names.map((_, index) => names[(index + round) % names.length] as Name);
    for (const name of order) results[name].push(await runRound(pairs[name], users, seconds, inFlight));
    showCount("rounds", round + 1, rounds);
  }
  return results;
}

/** Sends `GET /v1/users/me` again and again. */
async function runRound(pair: Pair, users: readonly Person[], seconds: number, inFlight: number): Promise<Round> {
  let [answered, failed] = [0, 0];
  const [begun, cpuBegun] = [performance.now(), cpuOf(pair)];
  await inParallel(inFlight, inFlight, async (index) => {
    const token = users[index % users.length]?.token;
    while (performance.now() < begun + seconds * 1_000) {
      const answer = await call(pair.gateway?.url ?? "", "GET", "/v1/users/me", { token }).catch(() => undefined);
      if (answer?.status === 200) answered += 1;
      else failed += 1;
    }
  });
  const took = (performance.now() - begun) / 1_000;
  return { rate: answered / took, answered, failed, cpuMicrosecondsEach: ((cpuOf(pair) - cpuBegun) / answered) * 1e6 };
}

const cpuOf = ({ gateway, user }: Pair) => cpuSecondsOf(gateway?.pid()) + cpuSecondsOf(user?.pid());

/** Median ratio of neighboring rounds, so that other work on the machine is in both. */
export function ratioOfRates(rounds: readonly Round[], others: readonly Round[]): number {
  return median(rounds.map(({ rate }, index) => rate / (others[index]?.rate ?? Number.NaN)));
}

export function countAnswers(results: Readonly<Record<string, readonly Round[]>>) {
  const sum = (of: (round: Round) => number) =>
    Object.values(results)
      .flat()
      .reduce((total, one) => total + of(one), 0);
  return { answered: sum(({ answered }) => answered), failed: sum(({ failed }) => failed) };
}

export function describeLoad(
  { rounds, seconds, inFlight }: Load,
  { answered, failed }: Record<string, number>,
): string {
  return `${rounds} rounds of ${seconds} s each, ${inFlight} requests at a time; ${failed} of ${(answered ?? 0) + (failed ?? 0)} failed`;
}

export function describeRounds(rounds: readonly Round[]): string {
  const cpu = median(rounds.map(({ cpuMicrosecondsEach }) => cpuMicrosecondsEach));
  return `${median(rounds.map(({ rate }) => rate)).toFixed(0)}/s, ${cpu.toFixed(0)} µs of CPU a request in gateway and user service`;
}
