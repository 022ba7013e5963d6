// pnpm bench:revocation and bench:fan-out: how soon a revoked token is rejected. See --help.
import { REVOKING_SUBJECTS, STREAMS } from "@gatehouse/contracts";
import { connectBus, readStream } from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";
import { call, type Person, register } from "@gatehouse/test-kit/api";
import { countOption, describeTimes, type Report, reportCommand, showCount, summarize } from "@gatehouse/test-kit/run";
import { type BenchSystem, REVOCATIONS, startBackgroundLoad, startBenchSystem } from "./support/system.ts";

/** Bars in milliseconds: from the answer with one idle gateway, from the commit with several gateways under load. */
const ANSWER_P50_MS = 10;
const COMMIT_P50_MS = 5;
const COMMIT_P99_MS = 50;
const GIVE_UP_MS = 10_000;
/** With a valid token the service behind returns 422 without a query. */
const PATH = "/v1/users/nobody";

interface Options {
  readonly revocations: number;
  readonly gateways: number;
  readonly load?: number;
}

async function bench({ revocations, gateways, load }: Options): Promise<Report> {
  await using system = await startBenchSystem({ gateways });
  const background = load === undefined ? undefined : await startBackgroundLoad(system.urls, load);
  await using arrivals = followArrivals(system.nats.url);
  const kinds = Object.entries(REVOCATIONS);
  /** Milliseconds, one for each revocation and gateway. */
  const byKind: Record<string, number[]> = Object.fromEntries(kinds.map(([kind]) => [kind, []]));
  const samples = { fromCommit: [] as number[], toArrival: [] as number[], requests: [] as number[] };
  for (let index = 0; index < revocations; index += 1) {
    const [kind, revoke] = kinds[index % kinds.length] as (typeof kinds)[0];
    const user = await register(system.urls[0] ?? "");
    const rejections = system.urls.map((url) => untilRejected(url, user, samples.requests));
    const { status } = await revoke(system.urls[0] ?? "", user, system.admin);
    const answered = now();
    if (status >= 300) throw new Error(`the revoking call returned ${status}`);
    const rejected = await Promise.all(rejections);
    byKind[kind]?.push(...rejected.map((time) => Math.max(0, time - answered)));
    const committed = await commitTime(system, user);
    if (committed !== undefined) {
      samples.fromCommit.push(...rejected.map((time) => time - committed));
      const arrived = arrivals.at.get(user.id);
      if (arrived !== undefined) samples.toArrival.push(arrived - committed);
    }
    showCount("revocations", index + 1, revocations);
  }
  const rate = background?.rate() ?? 0;
  await background?.stop();
  const fromAnswer = Object.values(byKind).flat();
  const { p50 = Number.NaN, p99 = Number.NaN } = summarize(samples.fromCommit);
  const isIdle = background === undefined;
  return {
    passed: isIdle
      ? (summarize(fromAnswer).p50 ?? Number.NaN) <= ANSWER_P50_MS
      : p50 <= COMMIT_P50_MS && p99 <= COMMIT_P99_MS,
    figures: {
      ...{ revocations, gateways, backgroundRate: rate, backgroundAnswers: background?.tally.byStatus() },
      ...Object.fromEntries(
        Object.entries({ ...byKind, ...samples, fromAnswer }).map(([name, times]) => [name, summarize(times)]),
      ),
    },
    lines: [
      `${revocations} revocations, ${gateways} gateways, ${rate.toFixed(0)} other requests a second`,
      ...Object.entries(byKind).map(([kind, times]) => `${kind.padEnd(16)} ${describeTimes(times)}`),
      `answer to 401    ${describeTimes(fromAnswer)} (0 when the 401 was first${isIdle ? `; p50 at most ${ANSWER_P50_MS} ms` : ""})`,
      `commit to 401    ${describeTimes(samples.fromCommit)}${isIdle ? "" : ` (p50 at most ${COMMIT_P50_MS} ms, p99 at most ${COMMIT_P99_MS} ms)`}`,
      `commit to event  ${describeTimes(samples.toArrival)} (at a bus reader, without a request)`,
      `control, request ${describeTimes(samples.requests)} (requests that were accepted meanwhile)`,
    ],
  };
}

/** By PostgreSQL's clock, which is this machine's; undefined after a hard deletion, which leaves no row. */
async function commitTime({ database }: BenchSystem, { sessionId }: Person): Promise<number | undefined> {
  const { rows } = await database.query<{ at: string }>(
    `select extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000 as at
     from auth.sessions where id = $1 and ended_at is not null`,
    [sessionId],
  );
  return rows[0] && Number(rows[0].at);
}

/** Records when the first revoking event of each user arrives at a reader like that of a gateway. */
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

/** Polls a gateway. Returns when the first 401 arrived. */
async function untilRejected(url: string, { token }: Person, requests: number[]): Promise<number> {
  for (const begun = now(); now() - begun < GIVE_UP_MS;) {
    const sent = now();
    if ((await call(url, "GET", PATH, { token })).status === 401) return now();
    requests.push(now() - sent);
    // Without a pause polling would be most of the load.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`a revoked token still works after ${GIVE_UP_MS / 1_000} s`);
}

/** Milliseconds since 1970, with fractions. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

await reportCommand(
  "pnpm bench:revocation",
  "Revokes tokens in every way at one gateway, and measures the time from the 2xx and from the database's commit to the first 401 of each " +
    "gateway, which is polled. This includes a whole request, so the time of an accepted request is printed, too.",
  bench,
)
  .addOption(countOption("revocations", "number of revocations", 200))
  .addOption(countOption("gateways", "number of gateways", 1))
  .addOption(countOption("load", "other requests a second; default: none"))
  .parseAsync();
