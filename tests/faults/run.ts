import { createRandom, type Random } from "@gatehouse/test-kit/system";
import { connectBus } from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";
import { setTimeout as pause } from "node:timers/promises";
import { startConsumers } from "./consumers/consumers.ts";
import { openLedgerDatabase } from "./consumers/ledger-database.ts";
import { deal, FAULTS } from "./course/deck.ts";
import { drain } from "./course/drain.ts";
import { createMischief, type Mischief } from "./course/mischief.ts";
import { recover } from "./course/recovery.ts";
import { gather } from "./ledger/gather.ts";
import { drawUp, type Ledger } from "./ledger/ledger.ts";
import { call } from "./load/call.ts";
import { createJournal, type Journal } from "./load/journal.ts";
import { takeLastLook } from "./load/last-look.ts";
import { startLoad } from "./load/load.ts";
import { startProber } from "./load/probe.ts";
import { createTally, type Tally } from "./load/tally.ts";
import type { Progress } from "./progress.ts";
import { MAX_STALENESS_SECONDS, ROOT, startSystem, type System } from "./system/system.ts";

export interface RunOptions {
  readonly seed: string;
  /** How long load and faults go on; starting and settling come on top. */
  readonly seconds: number;
  readonly clients: number;
  /** Only faults whose name contains this, or one of these, comma-separated. */
  readonly only?: string | undefined;
  /** Where the services' logs go at the end. */
  readonly logFolder?: string | undefined;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** A revoked access token is refused within staleness + 1 s (design, "Revocation"). */
const REFUSED_WITHIN_MS = (MAX_STALENESS_SECONDS + 1) * 1_000;

/** Starts everything, lets clients live on it while things break, and draws up the ledger. */
export async function run(options: RunOptions): Promise<Ledger> {
  const system = await startSystem({ note: options.progress.note, logFolder: options.logFolder });
  try {
    return await runOn(system, options);
  } finally {
    await system.stop();
  }
}

async function runOn(system: System, options: RunOptions): Promise<Ledger> {
  const random = createRandom(options.seed);
  const journal = createJournal();
  const tally = createTally();
  const root = await logInRoot(system, tally);
  const steps: (() => Promise<unknown>)[] = [];
  try {
    const mischief = createMischief(system.servers.nats.url);
    steps.push(mischief.close);
    const collecting = await startCollecting(system);
    steps.push(collecting.close);
    const live = startLiving(system, { ...options, random, journal, tally, rootToken: root.token });
    steps.push(live.stop);

    const { faults, stuck } = await breakThings(system, {
      ...options,
      random: random.fork("faults"),
      mischief,
      tally,
      journal,
    });
    options.progress.note("the load ends");
    const { people, probed } = await live.stop();
    options.progress.note("a last look");
    journal.during = "the last look";
    const { looked } = await takeLastLook({
      ...{ people, places: live.places, gateway: system.gateways[0].url },
      ...{ random: random.fork("last look"), journal, tally },
    });
    const drained = await drain(system);
    options.progress.note("drawing up the ledger");
    const { owner: ownerUrl } = system.databaseUrls;
    const evidence = await gather({ ownerUrl, database: collecting.database, mischief, journal });
    return drawUp(evidence, {
      seed: options.seed,
      seconds: options.seconds,
      answers: tally.total(),
      faults,
      untried: FAULTS.map(({ name }) => name).filter((name) => faults.every((fault) => fault.name !== name)),
      drainedMs: drained.ms,
      probed,
      looked,
      rootId: root.id,
      complaints: journal.complaints,
      forbidden: tally.forbidden(),
      stuck: [...stuck, ...drained.stuck],
    });
  } finally {
    for (const step of steps.toReversed()) await step();
  }
}

/** The clients and the prober. */
function startLiving(
  system: System,
  options: RunOptions & { random: Random; journal: Journal; tally: Tally; rootToken: string },
) {
  const { random } = options;
  const gateways = system.gateways.map(({ url }) => url);
  const user = system.services.user.url;
  const places = [...gateways, user];
  const load = startLoad({ ...options, random: random.fork("load"), gateways });
  const prober = startProber({
    ...options,
    random: random.fork("probe"),
    // What a gateway lets through the user service checks again, by a view of its own, which shows best where it is asked itself.
    places: [...gateways, user, user],
    withinMs: REFUSED_WITHIN_MS,
    authOutages: system.authOutages.all,
  });
  return {
    places,
    async stop() {
      const [people] = await Promise.all([load.stop(), prober.stop()]);
      return { people, probed: prober.probed() };
    },
  };
}

/** One fault after the other until time is over; after each the system has to recover by itself. */
async function breakThings(
  system: System,
  options: RunOptions & { random: Random; mischief: Mischief; tally: Tally; journal: Journal },
) {
  const { random, mischief, progress, signal, journal } = options;
  const until = performance.now() + options.seconds * 1_000;
  const faults: { name: string; recoveredMs: number }[] = [];
  const stuck: string[] = [];
  const hold = (least: number, most: number) => pause(random.integer(least, most));
  await hold(1_000, 2_000);
  for (const inflicted of deal(random, options.only)) {
    signal.throwIfAborted();
    if (performance.now() > until) break;
    const name = inflicted.map((fault) => fault.name).join(" and ");
    progress.show(name, options.tally);
    journal.during = name;
    await Promise.all(inflicted.map((fault) => fault.run({ system, random, mischief, hold })));
    const { ms, stuck: what } = await recover(system);
    faults.push({ name, recoveredMs: ms });
    if (what !== undefined) stuck.push(`after "${name}": ${what}`);
    progress.note(`${name}: well again after ${ms} ms`);
    await hold(500, 1_500);
  }
  return { faults, stuck };
}

async function logInRoot(system: System, tally: Tally): Promise<{ id: string; token: string }> {
  await recover(system);
  const form = { username: ROOT.email, password: ROOT.password };
  const answer = await call(system.gateways[0].url, "root", { method: "POST", path: "/v1/auth/login", form }, tally);
  if (answer.status !== 200) throw new Error(`The first admin cannot log in: ${answer.status}`);
  const token = String(answer.body["access_token"]);
  // The user service hears of its first admin by an event.
  const me = { method: "GET", path: "/v1/auth/me", token } as const;
  while ((await call(system.gateways[0].url, "root", me, tally)).status !== 200) await pause(50);
  return { id: String((answer.body["user"] as { id: unknown }).id), token };
}

/** The harness's own consumers, on lines that nobody touches; what happens to the servers happens to them as well. */
async function startCollecting({ databaseUrls, servers }: System) {
  const database = await openLedgerDatabase(databaseUrls.ledger);
  const logger = createLogger({ service: "faults", level: "silent" });
  const bus = connectBus({ url: servers.nats.url, name: "faults-consumers", logger });
  const consumers = startConsumers({ bus, database, logger });
  return {
    database,
    async close() {
      await Promise.all(consumers.map((consumer) => consumer.close()));
      await bus.close();
      await database.close();
    },
  };
}
