import type { Random } from "@gatehouse/test-kit/system";
import { randomBytes } from "node:crypto";
import type { Answer, Client } from "./client.ts";
import { secondsLeft, type Session } from "./session.ts";

export const PASSWORD = "Correct-Horse-1";

/** Everybody who uses the system: who is registered, and who is logged in. */
export interface Population {
  readonly sessions: ReadonlySet<Session>;
  register(): Promise<void>;
  logIn(): Promise<void>;
  logOut(): Promise<void>;
  refresh(): Promise<void>;
  look(): Promise<void>;
  rename(): Promise<void>;
}

/** A token is used until so shortly before its end that its answer is decided before it. */
const LAST_USE_SECONDS = 5;
/** Clients refresh a token that has not longer to live. */
const REFRESH_BEFORE_SECONDS = 10;

/** @param options.onToken is told of each access token that was accepted */
export function createPopulation(options: {
  readonly client: Client;
  readonly random: Random;
  /** Nobody logs out while there are not so many sessions, and nobody logs in when there are twice as many. */
  readonly size: number;
  readonly onToken: (token: string) => void;
}): Population {
  const { client, random, size, onToken } = options;
  const emails: string[] = [];
  const sessions = new Set<Session>();
  // Two loads of one run must not want the same emails.
  const crowd = randomBytes(4).toString("hex");
  let registrations = 0;

  const usable = () => [...sessions].filter((one) => !one.reserved && secondsLeft(one, Date.now()) > LAST_USE_SECONDS);

  /** Work with a session that nothing else may use meanwhile. */
  async function alone(candidates: readonly Session[], work: (session: Session) => Promise<void>): Promise<boolean> {
    const free = candidates.filter(({ busy, reserved }) => busy === 0 && !reserved);
    if (free.length === 0) return false;
    const session = random.pick(free);
    session.reserved = true;
    await work(session).finally(() => (session.reserved = false));
    return true;
  }

  async function withToken(work: (session: Session) => Promise<Answer | undefined>): Promise<void> {
    const candidates = usable();
    if (candidates.length === 0) return logIn();
    const session = random.pick(candidates);
    const { token } = session;
    session.busy += 1;
    const answer = await work(session).finally(() => (session.busy -= 1));
    if (answer !== undefined) onToken(token);
  }

  const look = () =>
    withToken(({ token }) => client.send({ method: "GET", path: "/v1/auth/me", expected: 200, token }));

  async function logIn(): Promise<void> {
    if (sessions.size >= 2 * size) return look();
    const email = emails.shift();
    if (email === undefined) return register();
    // In turn, since logins of one person are limited whatever else is not.
    emails.push(email);
    const form = { username: email, password: PASSWORD };
    const answer = await client.send({ method: "POST", path: "/v1/auth/login", expected: 200, form });
    if (answer === undefined) return;
    sessions.add({ email, ...tokensOf(answer), busy: 0, reserved: false });
  }

  async function register(): Promise<void> {
    const email = `drill-${crowd}-${(registrations += 1)}@example.com`;
    const json = { email, password: PASSWORD };
    const answer = await client.send({ method: "POST", path: "/v1/users", expected: 201, json });
    if (answer !== undefined) emails.push(email);
  }

  async function refreshOne(session: Session): Promise<void> {
    const { cookie } = session;
    const answer = await client.send({ method: "POST", path: "/v1/auth/refresh", expected: 200, cookie });
    // Whether it was rotated is unknown now, and trying again might be a replay.
    if (answer === undefined) sessions.delete(session);
    else Object.assign(session, tokensOf(answer));
  }

  return {
    sessions,
    register,
    logIn,
    look,
    rename: () =>
      withToken(({ token }) => {
        const json = { full_name: `Name ${random.integer(1, 1_000_000)}` };
        return client.send({ method: "PATCH", path: "/v1/users/me", expected: 200, token, json });
      }),
    async refresh() {
      const all = [...sessions];
      const due = all.filter((one) => secondsLeft(one, Date.now()) < REFRESH_BEFORE_SECONDS);
      if (!(await alone(due, refreshOne)) && !(await alone(all, refreshOne))) await look();
    },
    async logOut() {
      const surplus = sessions.size > size ? usable() : [];
      const left = await alone(surplus, async (session) => {
        sessions.delete(session);
        const { token, cookie } = session;
        await client.send({ method: "POST", path: "/v1/auth/logout", expected: 204, token, cookie });
      });
      if (!left) await look();
    },
  };
}

function tokensOf({ body, cookie }: Answer): Pick<Session, "token" | "cookie"> {
  return { token: String(body["access_token"]), cookie: cookie ?? "" };
}
