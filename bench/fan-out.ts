// pnpm bench:fan-out: from a revocation's commit to 401 at every gateway, under load. See --help.
import { REVOKING_SUBJECTS, STREAMS } from "@gatehouse/contracts";
import { connectBus, readStream } from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";
import { call, type Person, register } from "@gatehouse/test-kit/api";
import { countOption, describeTimes, type Report, reportCommand, showCount, summarize } from "@gatehouse/test-kit/run";
import { setTimeout as pause } from "node:timers/promises";
import {
  type BenchSystem,
  type Revocation,
  REVOCATIONS,
  startBackgroundLoad,
  startBenchSystem,
} from "./support/system.ts";

const GATEWAYS = 3;
const P50_MS = 5;
const P99_MS = 50;
/** Between two requests to one gateway: without it polling would be most of the load. */
const POLL_MS = 2;
const GIVE_UP_MS = 10_000;
/** With a valid token the service behind returns 422 without a query. */
const PATH = "/v1/users/nobody";

/** Milliseconds, one for each revocation and gateway. */
interface Samples {
  readonly fromCommit: number[];
  readonly fromAnswer: number[];
  /** To the event's arrival at a bus reader like that of a gateway. */
  readonly toArrival: number[];
  /** Of requests that the same gateways accepted meanwhile. */
  readonly requests: number[];
}

async function bench({ revocations, load }: { readonly revocations: number; readonly load: number }): Promise<Report> {
  await using system = await startBenchSystem({ gateways: GATEWAYS });
  const background = await startBackgroundLoad(system.urls, load);
  await using arrivals = followArrivals(system.nats.url);
  const samples: Samples = { fromCommit: [], fromAnswer: [], toArrival: [], requests: [] };
  const kinds = Object.values(REVOCATIONS);
  for (let index = 0; index < revocations; index += 1) {
    await measure(system, kinds[index % kinds.length] as Revocation, arrivals.at, samples);
    showCount("revocations", index + 1, revocations);
  }
  const rate = background.rate();
  await background.stop();
  const { p50 = Number.NaN, p99 = Number.NaN } = summarize(samples.fromCommit);
  return {
    passed: p50 <= P50_MS && p99 <= P99_MS,
    figures: {
      ...{ revocations, gateways: GATEWAYS, backgroundRate: rate, backgroundAnswers: background.tally.byStatus() },
      ...Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, summarize(values as number[])])),
    },
    lines: [
      `${revocations} revocations, ${GATEWAYS} gateways, ${rate.toFixed(0)} other requests a second`,
      `commit to 401:    ${describeTimes(samples.fromCommit)} (p50 at most ${P50_MS} ms, p99 at most ${P99_MS} ms)`,
      `answer to 401:    ${describeTimes(samples.fromAnswer)} (0 when the 401 was first)`,
      `commit to event:  ${describeTimes(samples.toArrival)} (at a bus reader, without a request)`,
      `control, request: ${describeTimes(samples.requests)} (requests that were accepted meanwhile)`,
    ],
  };
}

/** Revokes at the first gateway while every gateway is polled with the token. */
async function measure(
  { urls, admin, database }: BenchSystem,
  revoke: Revocation,
  arrivedAt: ReadonlyMap<string, number>,
  samples: Samples,
): Promise<void> {
  const [url = ""] = urls;
  const user = await register(url);
  const refusals = urls.map((each) => untilRejected(each, user, samples.requests));
  const { status } = await revoke(url, user, admin);
  const answered = now();
  if (status >= 300) throw new Error(`the revoking call returned ${status}`);
  const rejected = await Promise.all(refusals);
  // PostgreSQL's clock is this machine's. A hard deletion leaves no row with the time of its commit.
  const { rows } = await database.query<{ at: string }>(
    `select extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000 as at
     from auth.sessions where id = $1 and ended_at is not null`,
    [user.sessionId],
  );
  samples.fromAnswer.push(...rejected.map((time) => Math.max(0, time - answered)));
  if (rows[0] === undefined) return;
  const committed = Number(rows[0].at);
  samples.fromCommit.push(...rejected.map((time) => time - committed));
  const arrived = arrivedAt.get(user.id);
  if (arrived !== undefined) samples.toArrival.push(arrived - committed);
}

/** Records when the first revoking event of each user arrives. */
function followArrivals(url: string): AsyncDisposable & { readonly at: ReadonlyMap<string, number> } {
  const logger = createLogger({ service: "bench", level: "warn" });
  const bus = connectBus({ url, name: "bench", logger });
  const at = new Map<string, number>();
  const revoking: ReadonlySet<string> = REVOKING_SUBJECTS;
  const begun = new Date();
  const reader = readStream({
    ...{ bus, stream: STREAMS.auth, logger, since: () => begun },
    onMessage({ subject, data }) {
      if (!revoking.has(subject)) return;
      const arrived = now();
      const { subject: id } = JSON.parse(Buffer.from(data).toString()) as { subject: string };
      if (!at.has(id)) at.set(id, arrived);
    },
  });
  return {
    at,
    async [Symbol.asyncDispose]() {
      await reader.close();
      await bus.close();
    },
  };
}

/** Returns when the first 401 arrived. */
async function untilRejected(url: string, { token }: Person, requests: number[]): Promise<number> {
  for (const begun = now(); now() - begun < GIVE_UP_MS; await pause(POLL_MS)) {
    const sent = now();
    if ((await call(url, "GET", PATH, { token })).status === 401) return now();
    requests.push(now() - sent);
  }
  throw new Error(`a revoked token still works after ${GIVE_UP_MS / 1_000} s`);
}

/** Milliseconds since 1970, with fractions. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

await reportCommand(
  "pnpm bench:fan-out",
  `Measures the time from a revocation's commit, and from its 2xx, to the first 401 of each of ${GATEWAYS} gateways, which are polled. This ` +
    "includes a whole request, so the time of an accepted request is printed beside it.",
  bench,
)
  .addOption(countOption("revocations", "number of revocations", 1_000))
  .addOption(countOption("load", "other requests a second", 200))
  .parseAsync();
