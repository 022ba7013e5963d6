// pnpm bench:outage: the bus is away for a while under load; how soon all is well when it is back. See --help.
import { parseCount } from "@gatehouse/test-kit/command";
import { STREAMS } from "@gatehouse/contracts";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Option } from "commander";
import { setTimeout as pause } from "node:timers/promises";
import { type BackgroundLoad, startBackgroundLoad } from "./support/background.ts";
import { register, send, type Session } from "./support/client.ts";
import { benchCommand, type BenchResult } from "./support/command.ts";
import { progress } from "./support/report.ts";
import { type BenchSystem, startSystem } from "./support/system.ts";

interface Options {
  readonly seconds: number;
  readonly load: number;
}

const GATEWAYS = 2;
const REVOKING_WITHIN_S = 2;
const DRAINED_WITHIN_S = 10;
const WAIT_S = 60;
/** One user logs out everywhere each second. */
const REVOCATION_EVERY_MS = 1_000;

/** Seconds after the bus's return. */
interface Recovery {
  readonly revokingPublished: number;
  readonly allPublished: number;
  /** When each gateway's view decided again. */
  readonly viewsCurrent: number[];
}

async function bench({ seconds, load }: Options): Promise<BenchResult> {
  const system = await startSystem({ gateways: GATEWAYS });
  try {
    const urls = system.gateways.map(({ url }) => url);
    const background = await startBackgroundLoad(urls, load);
    const users = await prepareUsers(urls[0] ?? "", seconds);
    await system.nats.kill();
    await revokeDuring(urls[0] ?? "", users, seconds);
    await system.nats.start();
    const recovery = await recover(system, new Date());
    const stillGood = await countGood(urls, users);
    await background.stop();
    return report({
      recovery,
      stillGood,
      seconds,
      deadLetters: await countDeadLetters(system),
      waiting: await countEvents(system),
      background,
    });
  } finally {
    await system.stop();
  }
}

async function prepareUsers(url: string, seconds: number): Promise<Session[]> {
  const users: Session[] = [];
  while (users.length < seconds) users.push(await register(url));
  return users;
}

/** So long is the bus away; meanwhile each user's tokens are revoked. */
async function revokeDuring(url: string, users: readonly Session[], seconds: number): Promise<void> {
  const begun = performance.now();
  for (const [index, user] of users.entries()) {
    const status = await send(url, "POST", "/v1/auth/logout-all", user.token);
    if (status !== 204) throw new Error(`logout-all answered ${status} while the bus was away`);
    progress("seconds without the bus", index + 1, seconds);
    await pause(Math.max(0, (index + 1) * REVOCATION_EVERY_MS - (performance.now() - begun)));
  }
}

async function recover({ database, gateways }: BenchSystem, back: Date): Promise<Recovery> {
  const after = async (condition: string): Promise<number | undefined> => {
    const { rows } = await database.query<{ waiting: string; seconds: string | null }>(
      `select count(*) filter (where published_at is null) as waiting,
         extract(epoch from max(published_at) - $1) as seconds
       from (select * from auth.outbox union all select * from users.outbox) as outbox
       where created_at < $1 and ${condition}`,
      [back],
    );
    return Number(rows[0]?.waiting) > 0 ? undefined : Number(rows[0]?.seconds ?? 0);
  };
  const currentAgain = (): number[] => {
    const times = gateways.map((gateway) => viewDecidedAt(gateway.logs(), back.getTime()));
    return times.every((time) => time !== undefined) ? times.map((time) => (time - back.getTime()) / 1_000) : [];
  };
  for (const deadline = Date.now() + WAIT_S * 1_000; Date.now() < deadline; await pause(100)) {
    const [revokingPublished, allPublished, viewsCurrent] = [
      await after("revoking"),
      await after("true"),
      currentAgain(),
    ];
    if (revokingPublished === undefined || allPublished === undefined || viewsCurrent.length === 0) continue;
    return { revokingPublished, allPublished, viewsCurrent };
  }
  throw new Error(`the system has not recovered within ${WAIT_S} s`);
}

/** When a verifier said, after `since`, that its view decides again. Milliseconds since 1970. */
function viewDecidedAt(lines: readonly string[], since: number): number | undefined {
  for (const line of lines) {
    if (!line.includes("the view of revocations decides")) continue;
    const time = new Date((JSON.parse(line) as { time: string | number }).time).getTime();
    if (time >= since) return time;
  }
  return undefined;
}

/** Tokens that were revoked and that a gateway takes nevertheless. */
async function countGood(urls: readonly string[], users: readonly Session[]): Promise<number> {
  let good = 0;
  for (const url of urls)
    for (const user of users) if ((await send(url, "GET", "/v1/users/me", user.token)) !== 401) good += 1;
  return good;
}

async function countEvents({ database }: BenchSystem): Promise<number> {
  const { rows } = await database.query<{ count: string }>(
    "select (select count(*) from auth.outbox) + (select count(*) from users.outbox) as count",
  );
  return Number(rows[0]?.count);
}

async function countDeadLetters({ nats }: BenchSystem): Promise<number> {
  const connection = await connect({ servers: nats.url });
  try {
    const manager = await jetstreamManager(connection);
    return (await manager.streams.info(STREAMS.deadLetters.name)).state.messages;
  } finally {
    await connection.close();
  }
}

function report(found: {
  recovery: Recovery;
  stillGood: number;
  seconds: number;
  deadLetters: number;
  waiting: number;
  background: BackgroundLoad;
}): BenchResult {
  const { recovery, stillGood, seconds, deadLetters, background } = found;
  const { revokingPublished, allPublished, viewsCurrent } = recovery;
  const answers = Object.fromEntries(background.answers);
  const failed = [...background.answers].reduce((sum, [status, count]) => sum + (status === "200" ? 0 : count), 0);
  const passed =
    revokingPublished <= REVOKING_WITHIN_S && allPublished <= DRAINED_WITHIN_S && deadLetters + stillGood === 0;
  return {
    passed,
    figures: { seconds, ...recovery, deadLetters, revokedAndStillGood: stillGood, events: found.waiting, answers },
    lines: [
      `the bus was away for ${seconds} s, under ${background.rate().toFixed(0)} requests a second, ${failed} of which failed; ${found.waiting} events in all`,
      `revoking events published: ${revokingPublished.toFixed(2)} s after its return (at most ${REVOKING_WITHIN_S})`,
      `views current again:       ${viewsCurrent.map((each) => each.toFixed(2)).join(" s, ")} s`,
      `outbox drained:            ${allPublished.toFixed(2)} s (at most ${DRAINED_WITHIN_S})`,
      `dead letters ${deadLetters}, revoked tokens still good ${stillGood}`,
    ],
  };
}

await benchCommand(
  "bench:outage",
  "Kills NATS, lets people log in, look and log out everywhere for a minute, starts it again, and tells how soon all is well.",
  bench,
)
  .addOption(new Option("--seconds <count>", "how long it is away").argParser(parseCount).default(60))
  .addOption(new Option("--load <count>", "requests a second").argParser(parseCount).default(100))
  .parseAsync();
