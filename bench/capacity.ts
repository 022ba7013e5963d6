// pnpm bench:capacity: CPU of a request, and disk space of users, sessions and events. See --help.
import { call, login, PASSWORD, type Person } from "@gatehouse/test-kit/api";
import { countOption, inParallel, showCount } from "@gatehouse/test-kit/run";
import { openStreams } from "@gatehouse/test-kit/system";
import { cpuSecondsByProgram, memoryOf } from "./support/processes.ts";
import { benchCommand } from "./support/report.ts";
import { type BenchSystem, startBenchSystem } from "./support/system.ts";

const IN_FLIGHT = 8;
/** How often each session is refreshed and each token used. */
const REFRESHES = 5;
const LOOKS = 20;
/** OWASP Password Storage Cheat Sheet, and the services' defaults. */
const HASHING = { ARGON2_MEMORY_KIB: "19456", ARGON2_TIME_COST: "2", ARGON2_PARALLELISM: "1" };
const PROGRAMS = ["gateway", "auth", "user", "postgres", "nats-server"] as const;

async function bench({ users }: { readonly users: number }) {
  await using system = await startBenchSystem({ environment: { ...HASHING, LOG_LEVEL: "warn" } });
  const services = { gateway: system.gateways[0], auth: system.auth, user: system.users[0] };
  const pids = new Map(Object.entries(services).map(([name, service]) => [service?.pid(), name]));
  return {
    figures: {
      users,
      "CPU milliseconds of": await measureRequests(system.url, users, pids),
      "bytes of a": { ...(await measureRows(system, users)), ...(await measureEvents(system)) },
      "memory afterwards, MiB": Object.fromEntries([...pids].map(([pid, name]) => [name, memoryOf(pid).pss])),
    },
    bars: {},
  };
}

async function measureRequests(
  url: string,
  users: number,
  pids: ReadonlyMap<number | undefined, string>,
): Promise<Record<string, object>> {
  const email = (index: number) => `capacity-${index}@example.com`;
  const sessions: Person[] = [];
  const send = async (expected: number, ...request: Parameters<typeof call>) => {
    const answer = await call(...request);
    if (answer.status !== expected) throw new Error(`${request[2]} returned ${answer.status} instead of ${expected}`);
    return answer;
  };
  const register = (index: number) =>
    send(201, url, "POST", "/v1/users", { json: { email: email(index), password: PASSWORD } });
  const logIn = async (index: number) => void (sessions[index] = await login(url, email(index)));
  const refresh = async (index: number) => {
    let cookie = sessions[index]?.cookie;
    for (let done = 0; done < REFRESHES; done += 1)
      ({ cookie } = await send(200, url, "POST", "/v1/auth/refresh", { cookie }));
  };
  const look = (index: number) => send(200, url, "GET", "/v1/auth/me", { token: sessions[index % users]?.token });
  const phases: readonly [
    name: string,
    times: number,
    requestsEach: number,
    work: (index: number) => Promise<unknown>,
  ][] = [
    ["register", users, 1, register],
    ["login", users, 1, logIn],
    ["refresh", users, REFRESHES, refresh],
    ["me", users * LOOKS, 1, look],
  ];
  const costs: Record<string, object> = {};
  for (const [index, [name, times, each, work]] of phases.entries()) {
    const before = cpuSecondsByProgram(pids);
    await inParallel(times, IN_FLIGHT, work);
    const after = cpuSecondsByProgram(pids);
    const costOf = (one: string) => (((after[one] ?? 0) - (before[one] ?? 0)) / (times * each)) * 1_000;
    const all = PROGRAMS.reduce((total, one) => total + costOf(one), 0);
    const byProgram = Object.fromEntries(PROGRAMS.map((one) => [one, costOf(one)]));
    costs[name] = { ...byProgram, all, "a second and core": 1_000 / all };
    showCount("kinds of requests", index + 1, phases.length);
  }
  return costs;
}

/** Bytes a row, with indexes. */
async function measureRows({ database }: BenchSystem, users: number): Promise<Record<string, number>> {
  const bytes: Record<string, number> = {};
  for (const [name, tables, count] of [
    ["user", ["auth.accounts", "users.users"], users],
    ["session", ["auth.sessions"], users],
    ["refresh token", ["auth.refresh_tokens"], users * (1 + REFRESHES)],
  ] as const) {
    const { rows } = await database.query<{ size: number }>(
      "select sum(pg_total_relation_size(name::regclass))::float8 as size from unnest($1::text[]) as name",
      [tables],
    );
    bytes[name] = (rows[0]?.size ?? 0) / count;
  }
  return bytes;
}

/** Bytes an event by stream. */
async function measureEvents({ nats }: BenchSystem): Promise<Record<string, number>> {
  await using manager = await openStreams(nats.url);
  const bytes: Record<string, number> = {};
  for (const name of ["AUTH_EVENTS", "USER_EVENTS"]) {
    const { state } = await manager.streams.info(name);
    bytes[`message in ${name}`] = state.bytes / state.messages;
  }
  return bytes;
}

await benchCommand(
  "pnpm bench:capacity",
  "Measures the CPU of a registration, a login, a refresh and a read of the own user by program, and the disk space of users, sessions and " +
    "events. Other work on the machine hardly changes the figures (Linux).",
  bench,
)
  .addOption(countOption("users", "users who register and log in", 1_000))
  .parseAsync();
