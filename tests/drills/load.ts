import { type Answer, type Call, newEmail, PASSWORD, readToken, tryCall } from "@gatehouse/test-kit/api";
import { createTally, startOpenLoop, type Tally } from "@gatehouse/test-kit/run";
import { setTimeout as pause } from "node:timers/promises";

const TIMEOUT_MS = 15_000;
/** Time between two requests of a visit. A visit takes about 25 s, less than the shortest lifetime of a token. */
const THINK_MS = 2_500;
/** Requests of a visit, the registration or login included. */
const STEPS = 10;
/** After one visit's time the load has its full rate. */
const WARM_UP_MS = STEPS * THINK_MS;
/** One visit in this many registers a new user; the others log in a known one. */
const REGISTER_EVERY = 2;

export type Load = Awaited<ReturnType<typeof startLoad>>;

/** Sends a request whose one correct status is `expected`. Returns undefined for any other answer. */
export type Send = (expected: number, method: string, path: string, call: Call) => Promise<Answer | undefined>;

export function createSend(nextUrl: () => string, tally: Tally): Send {
  return async (expected, method, path, call) => {
    const answer = await tryCall(nextUrl, method, path, { ...call, timeoutMs: TIMEOUT_MS });
    const { status, body } = answer;
    const reason = typeof body["type"] === "string" ? body["type"] : undefined;
    tally.count({ route: `${method} ${path}`, status, expected, reason });
    return status === expected ? answer : undefined;
  };
}

/**
 * Starts visits that together send about `perSecond` requests a second, whether earlier requests are answered or not.
 * @param tally shared by several loads of one drill
 */
export async function startLoad(nextUrl: () => string, perSecond: number, tally: Tally = createTally()) {
  /** By kid: the requests that tokens of this signing key opened. */
  const keys = new Map<string, number>();
  const stopping = new AbortController();
  const send = createSend(nextUrl, tally);
  const emails: string[] = [];
  const visit = async (index: number) => {
    try {
      for await (const token of visitSteps(send, emails, index)) {
        if (token !== undefined) keys.set(readToken(token).kid, (keys.get(readToken(token).kid) ?? 0) + 1);
        await pause(THINK_MS, undefined, { signal: stopping.signal });
      }
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
    }
  };
  const [begun, before] = [performance.now(), tally.total().answered];
  const loop = startOpenLoop(perSecond / STEPS, visit);
  await pause(WARM_UP_MS);
  return {
    ...{ tally, keys },
    /** Answered requests a second. */
    rate: () => ((tally.total().answered - before) / (performance.now() - begun)) * 1_000,
    async stop() {
      stopping.abort();
      await loop.stop();
    },
  };
}

/** Yields the accepted access token after each request; undefined after others. Ends after an unexpected answer. */
async function* visitSteps(send: Send, emails: string[], index: number): AsyncGenerator<string | undefined> {
  // The oldest one, because the logins of one user have a limit that cannot be turned off.
  let email = index % REGISTER_EVERY === 0 ? undefined : emails.shift();
  if (email === undefined) {
    email = newEmail();
    if (!(await send(201, "POST", "/v1/users", { json: { email, password: PASSWORD } }))) return;
    yield undefined;
  }
  emails.push(email);
  let session = await send(200, "POST", "/v1/auth/login", { form: { username: email, password: PASSWORD } });
  for (const full_name of ["Ada", "Ada Lovelace"]) {
    if (!session) return;
    const token = String(session.body["access_token"]);
    yield token;
    for (const [method, path, request] of [
      ["GET", "/v1/auth/me", { token }],
      ["PATCH", "/v1/users/me", { token, json: { full_name } }],
      ["GET", "/v1/users/me", { token }],
    ] as const) {
      if (!(await send(200, method, path, request))) return;
      yield token;
    }
    session = await send(200, "POST", "/v1/auth/refresh", { cookie: session.cookie });
  }
  if (session) await send(204, "POST", "/v1/auth/logout", { token: String(session.body["access_token"]) });
}
