// pnpm bench:capacity: CPU of a request, and disk space of users, sessions and events. See --help.
import { call, login, PASSWORD, type Person } from "@gatehouse/test-kit/api";
import { countOption, inParallel, listOf, type Report, reportCommand, showCount } from "@gatehouse/test-kit/run";
import { openStreams } from "@gatehouse/test-kit/system";
import { cpuSecondsByProgram, memoryOf } from "./support/processes.ts";
import { type BenchSystem, startBenchSystem } from "./support/system.ts";

const IN_FLIGHT = 8;
/** How often each session is refreshed and each token used. */
const REFRESHES = 5;
const LOOKS = 20;
/** OWASP Password Storage Cheat Sheet, and the services' defaults. */
const HASHING = { ARGON2_MEMORY_KIB: "19456", ARGON2_TIME_COST: "2", ARGON2_PARALLELISM: "1" };
const PROGRAMS = ["gateway", "auth", "user", "postgres", "nats-server"] as const;

/** CPU milliseconds of one request by program. */
type Cost = Record<(typeof PROGRAMS)[number], number>;

async function bench({ users }: { readonly users: number }): Promise<Report> {
  await using system = await startBenchSystem({ environment: { ...HASHING, LOG_LEVEL: "warn" } });
  const services = { gateway: system.gateways[0], auth: system.auth, user: system.users[0] };
  const pids = new Map(Object.entries(services).map(([name, service]) => [service?.pid(), name]));
  const costs = await measureRequests(system.urls[0] ?? "", users, pids);
  const bytes = await measureRows(system, users);
  const events = await measureEvents(system);
  const memory = Object.fromEntries([...pids].map(([pid, name]) => [name, memoryOf(pid).pss]));
  const { rows } = await system.database.query<{ name: string; open: number }>(
    `select application_name as name, count(*)::int as open from pg_stat_activity
     where application_name like 'gatehouse-%' group by 1 order by 1`,
  );
  const connections = Object.fromEntries(rows.map(({ name, open }) => [name, open]));
  return {
    passed: true,
    figures: { users, costs, bytes, events, memory, connections },
    lines: [
      `${users} users, ${IN_FLIGHT} requests at a time; milliseconds of CPU a request, without the client's`,
      `${"".padEnd(10)}${PROGRAMS.map((name) => name.padStart(12)).join("")}       all   a second and core`,
      ...Object.entries(costs).map(([name, cost]) => describeCost(name, cost)),
      ...Object.entries(bytes).map(([name, each]) => `${name.padEnd(16)} ${each.toFixed(0)} bytes with indexes`),
      ...Object.entries(events).map(([stream, each]) => `event in ${stream.padEnd(12)} ${each.toFixed(0)} bytes`),
      `memory after the load (PSS): ${listOf(memory, (mib) => `${mib.toFixed(0)} MiB`)}`,
      `connections to PostgreSQL: ${listOf(connections)}`,
    ],
  };
}

function describeCost(name: string, cost: Cost): string {
  const all = Object.values(cost).reduce((total, each) => total + each, 0);
  const each = PROGRAMS.map((program) => cost[program].toFixed(2).padStart(12)).join("");
  return `${name.padEnd(10)}${each}${all.toFixed(2).padStart(10)}${(1_000 / all).toFixed(0).padStart(20)}`;
}

async function measureRequests(
  url: string,
  users: number,
  pids: ReadonlyMap<number | undefined, string>,
): Promise<Record<string, Cost>> {
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
  const costs: Record<string, Cost> = {};
  for (const [index, [name, times, each, work]] of phases.entries()) {
    const before = cpuSecondsByProgram(pids);
    await inParallel(times, IN_FLIGHT, work);
    const after = cpuSecondsByProgram(pids);
    const cost = PROGRAMS.map((one) => [one, (((after[one] ?? 0) - (before[one] ?? 0)) / (times * each)) * 1_000]);
    costs[name] = Object.fromEntries(cost) as Cost;
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
    bytes[name] = state.bytes / state.messages;
  }
  return bytes;
}

await reportCommand(
  "pnpm bench:capacity",
  "Measures the CPU of a registration, a login, a refresh and a read of the own user by program, and the disk space of users, sessions and " +
    "events. Other work on the machine hardly changes the figures (Linux).",
  bench,
)
  .addOption(countOption("users", "users who register and log in", 1_000))
  .parseAsync();
