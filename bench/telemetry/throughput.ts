import type { ServiceHandle } from "@gatehouse/test-kit/system";
import { register, send, type Session } from "../support/client.ts";
import { cpuSecondsOf } from "../support/cpu.ts";
import { progress } from "../support/report.ts";
import type { BenchSystem } from "../support/system.ts";

/** A gateway and the user service behind it, which serve nobody else. */
export interface Pair {
  readonly gateway: ServiceHandle;
  readonly user: ServiceHandle;
}

export interface Round {
  /** Answered with 200, a second. */
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

const USERS = 20;
const WARM_UP_SECONDS = 3;

/** The pairs of a system by name, in the order in which it was given them. */
export function pairsOf<Name extends string>(system: BenchSystem, names: readonly Name[]): Record<Name, Pair> {
  return Object.fromEntries(
    names.map((name, index) => [name, { gateway: system.gateways[index], user: system.users[index] }]),
  ) as Record<Name, Pair>;
}

/** Users whose tokens all pairs take. */
export async function registerUsers(url: string): Promise<Session[]> {
  const users: Session[] = [];
  while (users.length < USERS) users.push(await register(url));
  return users;
}

/** Rounds of each pair in turn, each time in another order, so that a machine whose speed drifts is fair to all. */
export async function takeTurns<Name extends string>(
  pairs: Readonly<Record<Name, Pair>>,
  users: readonly Session[],
  { rounds, seconds, inFlight }: Load,
  afterWarmUp: () => void = () => {},
): Promise<Record<Name, Round[]>> {
  const names = Object.keys(pairs) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Round[]>;
  for (const name of names) await runRound(pairs[name], users, WARM_UP_SECONDS, inFlight);
  afterWarmUp();
  for (let round = 0; round < rounds; round += 1) {
    const order = names.map((_, index) => names[(index + round) % names.length] as Name);
    for (const name of order) results[name].push(await runRound(pairs[name], users, seconds, inFlight));
    progress("rounds", round + 1, rounds);
  }
  return results;
}

/** `GET /v1/users/me` again and again, so many at a time. */
async function runRound(pair: Pair, users: readonly Session[], seconds: number, inFlight: number): Promise<Round> {
  let [answered, failed] = [0, 0];
  const [begun, cpuBegun] = [performance.now(), cpuOf(pair)];
  const end = begun + seconds * 1_000;
  const client = async (index: number) => {
    const { token } = users[index % users.length] as Session;
    while (performance.now() < end) {
      const status = await send(pair.gateway.url, "GET", "/v1/users/me", token).catch(() => undefined);
      if (status === 200) answered += 1;
      else failed += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, index) => client(index)));
  const took = (performance.now() - begun) / 1_000;
  return { rate: answered / took, answered, failed, cpuMicrosecondsEach: ((cpuOf(pair) - cpuBegun) / answered) * 1e6 };
}

function cpuOf({ gateway, user }: Pair): number {
  return [gateway, user].reduce((sum, service) => sum + cpuSecondsOf(service.pid() ?? 0), 0);
}
