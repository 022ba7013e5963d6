import type { Random, Tally } from "@gatehouse/test-kit/run";
import { setTimeout as pause } from "node:timers/promises";
import { type Outage, refusalDue } from "../outages.ts";
import { complain, type Journal, type Person, type Reply, type Request, send } from "./client.ts";

export interface ProbeOptions {
  /** Servers that verify tokens: the gateways and the user service. */
  readonly urls: readonly string[];
  readonly random: Random;
  readonly journal: Journal;
  readonly tally: Tally;
}

const EVERY_MS = 40;
/** Only the latest revocations are searched for those that are due. */
const LATEST = 100;
/** The probe takes one of the last that became due: a stale view misses those. */
const JUST_DUE = 10;
/** The size of each sample of the final check; a run has thousands. */
const SAMPLE = 150;

const read = (token: string | undefined): Request => ["GET", "/v1/users/me", { token }];

/**
 * Sends revoked tokens as soon as they must be rejected.
 * @returns a function that stops it, and returns how many it sent
 * @param options.withinMs the time in which a revocation must take effect
 */
export function startProber(
  options: ProbeOptions & { readonly withinMs: number; readonly authOutages: () => readonly Outage[] },
): () => Promise<number> {
  const { journal, random, tally, urls, withinMs, authOutages } = options;
  const stopping = new AbortController();
  let probed = 0;

  async function probe(): Promise<void> {
    const now = performance.now();
    const due = journal.revoked.slice(-LATEST).filter(({ at }) => refusalDue(at, withinMs, authOutages()) < now);
    if (due.length === 0) return;
    probed += 1;
    const { token, act, at } = random.pick(due.slice(-JUST_DUE));
    const url = random.pick(urls);
    if ((await send(tally, url, "probe", read(token))).outcome !== "done") return;
    const seconds = ((now - at) / 1_000).toFixed(1);
    complain(journal, `${url} accepted a token ${seconds} s after "${act}" was acknowledged`);
  }

  async function probeUntilStopped(): Promise<void> {
    for (; !stopping.signal.aborted; await pause(EVERY_MS)) await probe();
  }

  const running = [probeUntilStopped(), probeUntilStopped()];
  return async () => {
    stopping.abort();
    await Promise.all(running);
    return probed;
  };
}

/**
 * Checks at the end, without faults: live sessions work, ended ones are rejected, and all known credentials are right.
 * @returns the number of checks
 */
export async function checkFinalState(options: ProbeOptions, people: readonly Person[]): Promise<number> {
  const { urls, random, journal, tally } = options;
  const [gateway = ""] = urls;
  const sample = <T>(items: readonly T[]) => random.shuffle(items).slice(0, SAMPLE);
  let checks = 0;

  async function expectStatus(status: number, url: string, what: string, request: Request): Promise<Reply> {
    checks += 1;
    const reply = await send(tally, url, "final check", request);
    if (reply.status !== status)
      complain(journal, `${what} returned ${reply.status} ${String(reply.body["type"] ?? "")} instead of ${status}`);
    return reply;
  }

  const alive = people.filter(({ isActive, isDeleted }) => isActive && !isDeleted);
  for (const { cookie, tokens } of sample(alive).flatMap(({ sessions }) => sessions)) {
    for (const url of urls) await expectStatus(200, url, "a live session", read(tokens.at(-1)));
    await expectStatus(200, gateway, "a live refresh token", ["POST", "/v1/auth/refresh", { cookie }]);
  }
  for (const { token, act } of sample(journal.revoked))
    for (const url of urls) await expectStatus(401, url, `a token revoked by "${act}"`, read(token));
  for (const cookie of sample(journal.endedCookies))
    await expectStatus(401, gateway, "an ended refresh token", ["POST", "/v1/auth/refresh", { cookie }]);
  for (const { id: userId, email, password } of sample(alive)) {
    const form = { username: email, password };
    const { outcome } = await expectStatus(200, gateway, "a login", ["POST", "/v1/auth/login", { form }]);
    journal.entries.push({ act: "log in", userId, outcome });
  }
  return checks;
}
