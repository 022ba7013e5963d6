// pnpm bench:capacity: what a request costs in CPU, and what users, sessions and events take on disk. See --help.
import { parseCount } from "@gatehouse/test-kit/command";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Option } from "commander";
import { login, PASSWORD, refresh, send, type Session } from "./support/client.ts";
import { benchCommand, type BenchResult } from "./support/command.ts";
import { cpuSecondsByProgram } from "./support/cpu.ts";
import { memoryOf } from "./support/memory.ts";
import { progress } from "./support/report.ts";
import { type BenchSystem, startSystem } from "./support/system.ts";

interface Options {
  readonly users: number;
}

const IN_FLIGHT = 8;
/** How often each session is refreshed and each token used. */
const REFRESHES = 5;
const LOOKS = 20;
/** OWASP Password Storage Cheat Sheet, and the services' defaults. */
const HASHING = { ARGON2_MEMORY_KIB: "19456", ARGON2_TIME_COST: "2", ARGON2_PARALLELISM: "1" };
const PROGRAMS = ["gateway", "auth", "user", "postgres", "nats-server"] as const;
const ROWS = {
  user: ["auth.accounts", "users.users"],
  session: ["auth.sessions"],
  "refresh token": ["auth.refresh_tokens"],
} as const;

type Program = (typeof PROGRAMS)[number];
/** CPU milliseconds that one request takes in each program. */
type Cost = Record<Program, number>;

async function bench({ users }: Options): Promise<BenchResult> {
  const system = await startSystem({ gateways: 1, environment: { ...HASHING, LOG_LEVEL: "warn" } });
  try {
    const costs = await measureRequests(system, users);
    const bytes = await measureRows(system, users);
    const events = await measureEvents(system);
    const memory = Object.fromEntries(servicesOf(system).map(({ name, pid }) => [name, memoryOf(pid).pss]));
    const connections = await countConnections(system);
    return {
      passed: true,
      figures: { users, costs, bytes, events, memory, connections },
      lines: [
        `${users} users, ${IN_FLIGHT} requests at a time; milliseconds of CPU a request, without the client's`,
        `${"".padEnd(10)}${PROGRAMS.map((name) => name.padStart(12)).join("")}       all   a second and core`,
        ...Object.entries(costs).map(([name, cost]) => describeCost(name, cost)),
        ...Object.entries(bytes).map(([name, each]) => `${name.padEnd(16)} ${each.toFixed(0)} bytes with indexes`),
        ...events.map(({ stream, each }) => `event in ${stream.padEnd(12)} ${each.toFixed(0)} bytes`),
        `memory after the load (PSS): ${Object.entries(memory)
          .map(([name, held]) => `${name} ${held.toFixed(0)} MiB`)
          .join(", ")}`,
        `connections to PostgreSQL: ${connections.map(({ name, open }) => `${name} ${open}`).join(", ")}`,
      ],
    };
  } finally {
    await system.stop();
  }
}

function describeCost(name: string, cost: Cost): string {
  const all = sum(Object.values(cost));
  const each = PROGRAMS.map((program) => cost[program].toFixed(2).padStart(12)).join("");
  return `${name.padEnd(10)}${each}${all.toFixed(2).padStart(10)}${(1_000 / all).toFixed(0).padStart(20)}`;
}

async function measureRequests(system: BenchSystem, users: number): Promise<Record<string, Cost>> {
  const url = system.gateways[0]?.url ?? "";
  const emails = Array.from({ length: users }, (_, index) => `capacity-${index}@example.com`);
  const sessions: Session[] = [];
  const cookies = new Map<Session, string>();
  const phases: Record<string, { readonly times: number; readonly work: (index: number) => Promise<unknown> }> = {
    register: {
      times: users,
      work: async (index) =>
        expectStatus(
          201,
          await send(url, "POST", "/v1/users", undefined, { email: emails[index], password: PASSWORD }),
        ),
    },
    login: { times: users, work: async (index) => void (sessions[index] = await login(url, emails[index] ?? "")) },
    refresh: {
      times: users,
      async work(index) {
        const session = sessions[index] as Session;
        // One after the other: a refresh token is good once.
        for (let done = 0; done < REFRESHES; done += 1)
          cookies.set(session, await refresh(url, cookies.get(session) ?? session.cookie));
      },
    },
    me: {
      times: users * LOOKS,
      work: async (index) => expectStatus(200, await send(url, "GET", "/v1/auth/me", sessions[index % users]?.token)),
    },
  };
  const names = new Map(servicesOf(system).map(({ name, pid }) => [pid, name]));
  const costs: Record<string, Cost> = {};
  for (const [index, [name, { times, work }]] of Object.entries(phases).entries()) {
    const before = cpuSecondsByProgram(names);
    await inParallel(times, work);
    const after = cpuSecondsByProgram(names);
    const requests = name === "refresh" ? times * REFRESHES : times;
    const costOf = (program: Program) => (((after[program] ?? 0) - (before[program] ?? 0)) / requests) * 1_000;
    costs[name] = Object.fromEntries(PROGRAMS.map((program) => [program, costOf(program)])) as Cost;
    progress("kinds of requests", index + 1, Object.keys(phases).length);
  }
  return costs;
}

function servicesOf({ gateways, users, auth }: BenchSystem): { name: string; pid: number }[] {
  const [gateway, user] = [gateways[0], users[0]];
  return Object.entries({ gateway, auth, user }).map(([name, service]) => ({ name, pid: service?.pid() ?? 0 }));
}

async function inParallel(times: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < times) await work(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

function expectStatus(expected: number, status: number): void {
  if (status !== expected) throw new Error(`answered with ${status} instead of ${expected}`);
}

/** Bytes with indexes and everything, each. */
async function measureRows({ database }: BenchSystem, users: number): Promise<Record<string, number>> {
  const counts = { user: users, session: users, "refresh token": users * (1 + REFRESHES) };
  const bytes: Record<string, number> = {};
  for (const [name, tables] of Object.entries(ROWS)) {
    const { rows } = await database.query<{ size: number }>(
      "select sum(pg_total_relation_size(name::regclass))::float8 as size from unnest($1::text[]) as name",
      [tables],
    );
    bytes[name] = (rows[0]?.size ?? 0) / counts[name as keyof typeof counts];
  }
  return bytes;
}

async function measureEvents({ nats }: BenchSystem): Promise<{ stream: string; each: number }[]> {
  const connection = await connect({ servers: nats.url });
  try {
    const manager = await jetstreamManager(connection);
    const streams = ["AUTH_EVENTS", "USER_EVENTS"].map(async (stream) => {
      const { state } = await manager.streams.info(stream);
      return { stream, each: state.bytes / state.messages };
    });
    return await Promise.all(streams);
  } finally {
    await connection.close();
  }
}

async function countConnections({ database }: BenchSystem): Promise<{ name: string; open: number }[]> {
  const { rows } = await database.query<{ name: string; open: number }>(
    `select application_name as name, count(*)::int as open from pg_stat_activity
     where application_name like 'gatehouse-%' group by 1 order by 1`,
  );
  return rows;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

await benchCommand(
  "bench:capacity",
  `What a registration, a login, a refresh and a look at oneself cost in CPU, program by program; what users, sessions and events take
on disk. CPU is what the programs were given, so other work on the machine makes the run longer and the figures hardly larger (Linux).`,
  bench,
)
  .addOption(new Option("--users <count>", "how many register and log in").argParser(parseCount).default(1_000))
  .parseAsync();
