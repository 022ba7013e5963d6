// pnpm bench:revocation and bench:fan-out: how soon a revoked token is rejected. See --help.
import { type Answer, call, login, NEW_PASSWORD, PASSWORD, type Person, register } from "@gatehouse/test-kit/api";
import { countOption, showCount, summarize } from "@gatehouse/test-kit/run";
import { setTimeout as pause } from "node:timers/promises";
import { benchCommand } from "./support/report.ts";
import { type BenchSystem, startBackgroundLoad, startBenchSystem } from "./support/system.ts";

/** Bars in milliseconds: from the answer with one idle gateway, from the commit with several gateways under load. */
const ANSWER_P50_MS = 10;
const COMMIT_P50_MS = 5;
const COMMIT_P99_MS = 50;
const GIVE_UP_MS = 10_000;
/** With a valid token the service behind returns 422 without a query. */
const PATH = "/v1/users/nobody";

/** Revokes the tokens of `user` at a gateway. */
type Revocation = (url: string, user: Person, admin: Person) => Promise<Answer>;

const byAdmin =
  (method: string, json?: unknown): Revocation =>
  (url, { id }, { token }) =>
    call(url, method, `/v1/admin/users/${id}`, { token, json });

/** Everything that revokes access tokens. */
const REVOCATIONS: Readonly<Record<string, Revocation>> = {
  logout: (url, { token }) => call(url, "POST", "/v1/auth/logout", { token }),
  "logout-all": (url, { token }) => call(url, "POST", "/v1/auth/logout-all", { token }),
  "change password"(url, { token }) {
    const json = { current_password: PASSWORD, new_password: NEW_PASSWORD };
    return call(url, "POST", "/v1/auth/change-password", { token, json });
  },
  deactivate: byAdmin("PATCH", { is_active: false }),
  "role change": byAdmin("PATCH", { role: "admin" }),
  delete: byAdmin("DELETE"),
  async "session removed"(url, { email, sessionId }) {
    const { token } = await login(url, email);
    return await call(url, "DELETE", `/v1/auth/sessions/${sessionId}`, { token });
  },
};

interface Options {
  readonly revocations: number;
  readonly gateways: number;
  readonly load?: number;
}

async function bench({ revocations, gateways, load }: Options) {
  await using system = await startBenchSystem({ gateways });
  const background = load === undefined ? undefined : await startBackgroundLoad(system.urls, load);
  const kinds = Object.entries(REVOCATIONS);
  /** Milliseconds, one for each revocation and gateway; 0 when the 401 came before the answer. */
  const fromAnswer: Record<string, number[]> = Object.fromEntries(kinds.map(([kind]) => [kind, []]));
  const fromCommit: number[] = [];
  for (let index = 0; index < revocations; index += 1) {
    const [kind, revoke] = kinds[index % kinds.length] as (typeof kinds)[0];
    const user = await register(system.url);
    const rejections = system.urls.map((url) => untilRejected(url, user));
    const { status } = await revoke(system.url, user, system.admin);
    const answered = now();
    if (status >= 300) throw new Error(`the revoking call returned ${status}`);
    const rejected = await Promise.all(rejections);
    fromAnswer[kind]?.push(...rejected.map((time) => Math.max(0, time - answered)));
    const committed = await commitTime(system, user);
    if (committed !== undefined) fromCommit.push(...rejected.map((time) => time - committed));
    showCount("revocations", index + 1, revocations);
  }
  await background?.stop();
  const [answer, commit] = [summarize(Object.values(fromAnswer).flat()), summarize(fromCommit)];
  const byKind = Object.fromEntries(Object.entries(fromAnswer).map(([kind, times]) => [kind, summarize(times)]));
  return {
    figures: {
      ...{
        revocations,
        gateways,
        loadPerSecond: background?.rate() ?? 0,
        loadAnswers: background?.tally.byStatus() ?? {},
      },
      milliseconds: { "answer to 401": { ...answer, ...byKind }, "commit to 401": commit },
    },
    bars: background
      ? {
          "commit to 401, p50 ms": { figure: commit.p50 ?? Number.NaN, most: COMMIT_P50_MS },
          "commit to 401, p99 ms": { figure: commit.p99 ?? Number.NaN, most: COMMIT_P99_MS },
        }
      : { "answer to 401, p50 ms": { figure: answer.p50 ?? Number.NaN, most: ANSWER_P50_MS } },
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

/** Polls a gateway. Returns when the first 401 arrived. */
async function untilRejected(url: string, { token }: Person): Promise<number> {
  // Without a pause polling would be most of the load.
  for (const begun = now(); now() - begun < GIVE_UP_MS; await pause(2))
    if ((await call(url, "GET", PATH, { token })).status === 401) return now();
  throw new Error(`a revoked token still works after ${GIVE_UP_MS / 1_000} s`);
}

/** Milliseconds since 1970, with fractions. */
const now = () => performance.timeOrigin + performance.now();

await benchCommand(
  "pnpm bench:revocation",
  "Revokes tokens in every way at one gateway, and measures the time from the 2xx and from the database's commit to the first 401 of each " +
    "gateway, which is polled.",
  bench,
)
  .addOption(countOption("revocations", "number of revocations", 200))
  .addOption(countOption("gateways", "number of gateways", 1))
  .addOption(countOption("load", "other requests a second; default: none"))
  .parseAsync();
