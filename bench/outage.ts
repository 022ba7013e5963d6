// pnpm bench:outage: recovery after an outage of NATS under load. See --help.
import { STREAMS } from "@gatehouse/contracts";
import { call, type Person } from "@gatehouse/test-kit/api";
import { countOption, showCount } from "@gatehouse/test-kit/run";
import { openStreams } from "@gatehouse/test-kit/system";
import { setTimeout as pause } from "node:timers/promises";
import { benchCommand } from "./support/report.ts";
import { type BenchSystem, registerUsers, startBackgroundLoad, startBenchSystem } from "./support/system.ts";

const REVOKING_WITHIN_S = 2;
const DRAINED_WITHIN_S = 10;
const WAIT_MS = 60_000;

async function bench({ seconds, load }: { readonly seconds: number; readonly load: number }) {
  await using system = await startBenchSystem({ gateways: 2 });
  const { urls, url, nats } = system;
  const background = await startBackgroundLoad(urls, load);
  const users = await registerUsers(url, seconds);
  await nats.kill();
  await revokeDuring(url, users);
  await nats.start();
  const { revokingPublished, allPublished, viewsCurrent } = await measureRecovery(system, new Date());
  const stillValid = await countValid(urls, users);
  const loadPerSecond = background.rate();
  await background.stop();
  await using manager = await openStreams(nats.url);
  const deadLetters = (await manager.streams.info(STREAMS.deadLetters.name)).state.messages;
  return {
    figures: { seconds, loadPerSecond, answers: background.tally.byStatus(), viewsCurrentAfterSeconds: viewsCurrent },
    bars: {
      "revoking events published after the start, s": { figure: revokingPublished, most: REVOKING_WITHIN_S },
      "outbox drained, s": { figure: allPublished, most: DRAINED_WITHIN_S },
      "dead letters": { figure: deadLetters, most: 0 },
      "revoked tokens that are still valid": { figure: stillValid, most: 0 },
    },
  };
}

/** Logs one user out everywhere each second. */
async function revokeDuring(url: string, users: readonly Person[]): Promise<void> {
  const begun = performance.now();
  for (const [index, { token }] of users.entries()) {
    const { status } = await call(url, "POST", "/v1/auth/logout-all", { token });
    if (status !== 204) throw new Error(`logout-all returned ${status} while NATS was down`);
    showCount("seconds without NATS", index + 1, users.length);
    await pause(Math.max(0, (index + 1) * 1_000 - (performance.now() - begun)));
  }
}

/** Seconds after NATS was back. */
async function measureRecovery({ database, gateways }: BenchSystem, back: Date) {
  const published = async (condition: string): Promise<number> => {
    const { rows } = await database.query<{ waiting: string; seconds: string | null }>(
      `select count(*) filter (where published_at is null) as waiting,
         extract(epoch from max(published_at) - $1) as seconds
       from (select * from auth.outbox union all select * from users.outbox) as outbox
       where created_at < $1 and ${condition}`,
      [back],
    );
    return Number(rows[0]?.waiting) > 0 ? Number.NaN : Number(rows[0]?.seconds ?? 0);
  };
  for (const deadline = Date.now() + WAIT_MS; Date.now() < deadline; await pause(100)) {
    const [revokingPublished, allPublished] = [await published("revoking"), await published("true")];
    const viewsCurrent = gateways.map((gateway) => (viewCurrentAt(gateway.logs(), back) - back.getTime()) / 1_000);
    if ([revokingPublished, allPublished, ...viewsCurrent].every((time) => !Number.isNaN(time)))
      return { revokingPublished, allPublished, viewsCurrent };
  }
  throw new Error(`the system has not recovered within ${WAIT_MS / 1_000} s`);
}

/** When a gateway logged, after `since`, that its revocation view is current again; NaN when it has not. */
function viewCurrentAt(lines: readonly string[], since: Date): number {
  const times = lines
    .filter((line) => line.includes("revocation view decides about tokens"))
    .map((line) => new Date((JSON.parse(line) as { time: string | number }).time).getTime());
  return times.find((time) => time >= since.getTime()) ?? Number.NaN;
}

async function countValid(urls: readonly string[], users: readonly Person[]): Promise<number> {
  let valid = 0;
  for (const url of urls)
    for (const { token } of users) if ((await call(url, "GET", "/v1/users/me", { token })).status !== 401) valid += 1;
  return valid;
}

await benchCommand(
  "pnpm bench:outage",
  "Kills NATS while users log in, read and log out everywhere, starts it again, and measures the recovery.",
  bench,
)
  .addOption(countOption("seconds", "how long NATS is down", 60))
  .addOption(countOption("load", "requests a second", 100))
  .parseAsync();
