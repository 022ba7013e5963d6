import { type Answer, type Call, newEmail, PASSWORD, readToken, tryCall } from "@gatehouse/test-kit/api";
import { createTally, inParallel, type Random, startOpenLoop, type Tally } from "@gatehouse/test-kit/run";

/** The shares of the requests. */
const WEIGHTS = { look: 55, rename: 10, refresh: 18, logIn: 7, logOut: 5, register: 5 };
/** With fewer sessions no user logs out; with more than twice as many, no user logs in. */
const SESSIONS = 60;
/** Hashing is limited, so few register at the same time at the start. */
const AT_ONCE = 4;
/** A token is used until this time before its end. */
const LAST_USE_SECONDS = 5;
/** Clients refresh tokens that expire sooner. */
const REFRESH_BEFORE_SECONDS = 10;
const TIMEOUT_MS = 15_000;

export type Load = Awaited<ReturnType<typeof startLoad>>;

interface Session {
  token: string;
  cookie: string;
  /** Requests on their way. */
  busy: number;
  /** Its tokens are being changed, so no other request may use them. */
  isReserved: boolean;
}

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

/** Starts users who send `perSecond` requests a second, whether earlier ones are answered or not. */
export async function startLoad(options: {
  readonly nextUrl: () => string;
  readonly perSecond: number;
  readonly random: Random;
  /** Shared by several loads of one drill. */
  readonly tally?: Tally;
}) {
  const { nextUrl, perSecond, random, tally = createTally() } = options;
  /** By kid: the requests that tokens of this signing key opened. */
  const keys = new Map<string, number>();
  const acts = createActs(createSend(nextUrl, tally), random, (token) => {
    const { kid } = readToken(token);
    keys.set(kid, (keys.get(kid) ?? 0) + 1);
  });
  await inParallel(SESSIONS, AT_ONCE, acts.register);
  await inParallel(SESSIONS, AT_ONCE, acts.logIn);
  const loop = startOpenLoop(perSecond, () => acts[random.pickWeighted(WEIGHTS)]());
  return { ...loop, tally, keys };
}

/** @param onToken is called with each access token that was accepted */
function createActs(send: Send, random: Random, onToken: (token: string) => void) {
  const emails: string[] = [];
  const sessions = new Set<Session>();
  const secondsLeft = ({ token }: Session) => readToken(token).exp - Date.now() / 1_000;
  const usable = () => [...sessions].filter((one) => !one.isReserved && secondsLeft(one) > LAST_USE_SECONDS);
  const tokensOf = ({ body, cookie = "" }: Answer) => ({ token: String(body["access_token"]), cookie });

  /** Reserves one of the sessions. Returns false when all are in use. */
  async function reserve(candidates: readonly Session[], work: (session: Session) => Promise<void>): Promise<boolean> {
    const free = candidates.filter(({ busy, isReserved }) => busy === 0 && !isReserved);
    if (free.length === 0) return false;
    const session = random.pick(free);
    session.isReserved = true;
    await work(session).finally(() => (session.isReserved = false));
    return true;
  }

  async function withToken(expected: number, method: string, path: string, call: Call = {}): Promise<void> {
    const candidates = usable();
    if (candidates.length === 0) return logIn();
    const session = random.pick(candidates);
    const { token } = session;
    session.busy += 1;
    const answer = await send(expected, method, path, { ...call, token }).finally(() => (session.busy -= 1));
    if (answer !== undefined) onToken(token);
  }

  const look = () => withToken(200, "GET", "/v1/auth/me");

  async function logIn(): Promise<void> {
    if (sessions.size >= 2 * SESSIONS) return look();
    const email = emails.shift();
    if (email === undefined) return register();
    // In turn: the logins of one user have a limit that cannot be turned off.
    emails.push(email);
    const answer = await send(200, "POST", "/v1/auth/login", { form: { username: email, password: PASSWORD } });
    if (answer !== undefined) sessions.add({ ...tokensOf(answer), busy: 0, isReserved: false });
  }

  async function register(): Promise<void> {
    const email = newEmail();
    const answer = await send(201, "POST", "/v1/users", { json: { email, password: PASSWORD } });
    if (answer !== undefined) emails.push(email);
  }

  async function refreshOne(session: Session): Promise<void> {
    const answer = await send(200, "POST", "/v1/auth/refresh", { cookie: session.cookie });
    // Without an answer the rotation is uncertain, and a retry could be a replay.
    if (answer === undefined) sessions.delete(session);
    else Object.assign(session, tokensOf(answer));
  }

  return {
    ...{ register, logIn, look },
    rename: () =>
      withToken(200, "PATCH", "/v1/users/me", { json: { full_name: `Name ${random.integer(1, 1_000_000)}` } }),
    async refresh() {
      const all = [...sessions];
      const due = all.filter((one) => secondsLeft(one) < REFRESH_BEFORE_SECONDS);
      if (!(await reserve(due, refreshOne)) && !(await reserve(all, refreshOne))) await look();
    },
    async logOut() {
      const hasLeft = await reserve(sessions.size > SESSIONS ? usable() : [], async (session) => {
        sessions.delete(session);
        await send(204, "POST", "/v1/auth/logout", { token: session.token, cookie: session.cookie });
      });
      if (!hasLeft) await look();
    },
  };
}
