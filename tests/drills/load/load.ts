import type { Random } from "@gatehouse/test-kit/system";
import { createClient } from "./client.ts";
import { createPopulation, type Population } from "./population.ts";
import { readToken } from "./session.ts";
import { createTally, type Tally } from "./tally.ts";

/** What people do, by how often. */
const WEIGHTS = { look: 55, rename: 10, refresh: 18, logIn: 7, logOut: 5, register: 5 } satisfies Record<
  Exclude<keyof Population, "sessions">,
  number
>;
const SESSIONS = 60;
/** They come a few at a time, since hashing has its limit. */
const AT_A_TIME = 4;

/** What has come of one signing key's tokens. */
interface KeyUse {
  /** How many requests its tokens opened. */
  accepted: number;
  /** By `performance.now()`. */
  lastAccepted: number;
}

export interface Load {
  readonly tally: Tally;
  /** By kid. */
  readonly keys: ReadonlyMap<string, KeyUse>;
  /** Requests a second that were really sent. */
  rate(): number;
  /** Sends no more; resolves when all that was sent is answered. */
  stop(): Promise<void>;
}

/** An open loop: so many requests a second are sent, whether those before have been answered or not. */
export async function startLoad(options: {
  readonly nextUrl: () => string;
  readonly perSecond: number;
  readonly random: Random;
  /** Where the answers are counted, when it is not the only load. */
  readonly tally?: Tally;
}): Promise<Load> {
  const { nextUrl, perSecond, random, tally = createTally() } = options;
  const client = createClient(nextUrl, tally);
  const keys = new Map<string, KeyUse>();
  const onToken = (token: string) => {
    const { kid } = readToken(token);
    keys.set(kid, { accepted: (keys.get(kid)?.accepted ?? 0) + 1, lastAccepted: performance.now() });
  };
  const population = createPopulation({ client, random, size: SESSIONS, onToken });
  await repeat(SESSIONS, () => population.register());
  await repeat(SESSIONS, () => population.logIn());

  const open = new Set<Promise<void>>();
  const begun = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    // As many as are due: timers are late on a busy machine.
    for (const due = ((performance.now() - begun) / 1_000) * perSecond; sent < due; sent += 1) {
      const one: Promise<void> = population[random.pickWeighted(WEIGHTS)]().finally(() => open.delete(one));
      open.add(one);
    }
  }, 1_000 / perSecond);
  async function end(): Promise<void> {
    clearInterval(timer);
    await Promise.all(open);
    await client.close();
  }
  let ending: Promise<void> | undefined;
  return {
    tally,
    keys,
    rate: () => sent / ((performance.now() - begun) / 1_000),
    stop: () => (ending ??= end()),
  };
}

async function repeat(times: number, work: () => Promise<void>): Promise<void> {
  for (let done = 0; done < times; done += AT_A_TIME)
    await Promise.all(Array.from({ length: Math.min(AT_A_TIME, times - done) }, work));
}
