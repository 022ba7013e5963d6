// pnpm bench:fan-out: from a revocation's commit to 401 at every gateway, under load. See --help.
import { parseCount } from "@gatehouse/test-kit/command";
import { REVOKING_SUBJECTS, STREAMS } from "@gatehouse/contracts";
import { connectBus, readStream } from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";
import { Option } from "commander";
import { setTimeout as pause } from "node:timers/promises";
import { startBackgroundLoad } from "./support/background.ts";
import { register, send, type Session } from "./support/client.ts";
import { benchCommand, type BenchResult } from "./support/command.ts";
import { describe, progress, quantile } from "./support/report.ts";
import { type Revocation, REVOCATIONS } from "./support/revocations.ts";
import { type BenchSystem, startSystem } from "./support/system.ts";
import { decodeClaims } from "./support/token.ts";

interface Options {
  readonly revocations: number;
  readonly load: number;
}

const GATEWAYS = 3;
const P50_MS = 5;
const P99_MS = 50;
/** Between two requests to one gateway: without it the asking would be the larger part of the load. */
const ASK_AGAIN_MS = 2;
const GIVE_UP_MS = 10_000;
/** Asks for nobody: 422 from the service behind, without a look into the database, as long as the token is good. */
const PATH = "/v1/users/nobody";

/** Milliseconds, one for each revocation and gateway. */
interface Samples {
  readonly fromCommit: number[];
  readonly fromAnswer: number[];
  /** To the event's arrival at a reader of the bus as every gateway has one, no request included. */
  readonly toArrival: number[];
  /** Of requests that were let through by the same gateways meanwhile: what asking takes, with nothing to wait for. */
  readonly asking: number[];
}

async function bench({ revocations, load }: Options): Promise<BenchResult> {
  const system = await startSystem({ gateways: GATEWAYS });
  try {
    const background = await startBackgroundLoad(
      system.gateways.map(({ url }) => url),
      load,
    );
    const arrivals = followArrivals(system.nats.url);
    const samples: Samples = { fromCommit: [], fromAnswer: [], toArrival: [], asking: [] };
    const kinds = Object.values(REVOCATIONS);
    for (let index = 0; index < revocations; index += 1) {
      await measure(system, kinds[index % kinds.length] as Revocation, arrivals.at, samples);
      progress("revocations", index + 1, revocations);
    }
    const rate = background.rate();
    await background.stop();
    await arrivals.close();
    return report(samples, revocations, rate, background.answers);
  } finally {
    await system.stop();
  }
}

/** Revokes at the first gateway, while each is asked over and over whether it still takes the token. */
async function measure(
  system: BenchSystem,
  revoke: Revocation,
  arrivedAt: ReadonlyMap<string, number>,
  samples: Samples,
): Promise<void> {
  const [first] = system.gateways;
  const url = first?.url ?? "";
  const user = await register(url);
  const refusals = system.gateways.map((gateway) => untilRefused(gateway.url, user, samples.asking));
  const status = await revoke(url, user, system.admin);
  const answered = now();
  if (status >= 300) throw new Error(`the revoking call answered ${status}`);
  const refused = await Promise.all(refusals);
  const committed = await commitTime(system, user);
  for (const time of refused) {
    samples.fromAnswer.push(Math.max(0, time - answered));
    if (committed !== undefined) samples.fromCommit.push(time - committed);
  }
  const arrived = arrivedAt.get(user.id);
  if (committed !== undefined && arrived !== undefined) samples.toArrival.push(arrived - committed);
}

/** When the first event that revokes something of a user was here, by user id. */
function followArrivals(url: string): { readonly at: ReadonlyMap<string, number>; close(): Promise<void> } {
  const logger = createLogger({ service: "bench", level: "warn" });
  const bus = connectBus({ url, name: "bench", logger });
  const at = new Map<string, number>();
  const revoking: ReadonlySet<string> = REVOKING_SUBJECTS;
  const begun = new Date();
  const reader = readStream({
    bus,
    stream: STREAMS.auth,
    since: () => begun,
    onMessage({ subject, data }) {
      if (!revoking.has(subject)) return;
      const arrived = now();
      const { subject: id } = JSON.parse(Buffer.from(data).toString()) as { subject: string };
      if (!at.has(id)) at.set(id, arrived);
    },
    logger,
  });
  return {
    at,
    async close() {
      await reader.close();
      await bus.close();
    },
  };
}

/** When the first 401 was here. */
async function untilRefused(url: string, user: Session, asking: number[]): Promise<number> {
  for (const begun = now(); now() - begun < GIVE_UP_MS;) {
    const sent = now();
    if ((await send(url, "GET", PATH, user.token)) === 401) return now();
    asking.push(now() - sent);
    await pause(ASK_AGAIN_MS);
  }
  throw new Error("a token is still good after 10 s");
}

/** When the session's end was committed, by the clock that is also ours; undefined when its row went with the account. */
async function commitTime({ database }: BenchSystem, user: Session): Promise<number | undefined> {
  const { rows } = await database.query<{ at: string }>(
    `select extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000 as at
     from auth.sessions where id = $1 and ended_at is not null`,
    [decodeClaims(user.token).sid],
  );
  return rows[0] && Number(rows[0].at);
}

/** Milliseconds since 1970, with fractions. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function report(
  samples: Samples,
  revocations: number,
  rate: number,
  answers: ReadonlyMap<string, number>,
): BenchResult {
  const { fromCommit, fromAnswer, toArrival, asking } = samples;
  const summary = (values: readonly number[]) => ({
    count: values.length,
    p50: quantile(values, 0.5),
    p90: quantile(values, 0.9),
    p99: quantile(values, 0.99),
    max: quantile(values, 1),
  });
  const passed = quantile(fromCommit, 0.5) <= P50_MS && quantile(fromCommit, 0.99) <= P99_MS;
  return {
    passed,
    figures: {
      revocations,
      gateways: GATEWAYS,
      backgroundRate: rate,
      backgroundAnswers: Object.fromEntries(answers),
      fromCommit: summary(fromCommit),
      fromAnswer: summary(fromAnswer),
      toArrival: summary(toArrival),
      asking: summary(asking),
    },
    lines: [
      `${revocations} revocations, ${GATEWAYS} gateways, ${rate.toFixed(0)} other requests a second`,
      `commit to 401:    ${describe(fromCommit)} (p50 at most ${P50_MS} ms, p99 at most ${P99_MS} ms)`,
      `answer to 401:    ${describe(fromAnswer)} (0 when it came first)`,
      `commit to event:  ${describe(toArrival)} (at a reader of the bus, no request included)`,
      `control, asking:  ${describe(asking)} (a request that is let through meanwhile)`,
    ],
  };
}

await benchCommand(
  "bench:fan-out",
  `Revocations of mixed kinds at one gateway; from the database's commit, and from the call's 2xx, to the moment in which the first 401 has
arrived from each of ${GATEWAYS} gateways, which are asked over and over. That moment includes a whole request, so what a request takes
that has nothing to wait for is told beside it, and when the event was at a reader of the bus. A hard deletion leaves no row that tells its commit.`,
  bench,
)
  .addOption(new Option("--revocations <count>", "how many").argParser(parseCount).default(1_000))
  .addOption(new Option("--load <count>", "other requests a second").argParser(parseCount).default(200))
  .parseAsync();
