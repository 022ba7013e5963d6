import { decodeJwt } from "jose";
import { type Answer, call, type Call, newEmail, PASSWORD } from "@gatehouse/test-kit/api";

export interface Traffic {
  /** Users who were registered, by id. */
  readonly users: readonly string[];
  /** Requests that were answered as they should be. */
  answered(): number;
  /** One line for each that was not. */
  readonly failures: readonly string[];
  /** Lets everybody finish what they are at. */
  stop(): Promise<void>;
}

/** One visit: somebody registers, looks and changes, refreshes and leaves; each request to whichever gateway's turn it is. */
type Send = (what: string, expected: number, method: string, path: string, options?: Call) => Promise<Answer>;

/** So many people side by side, one visit after another, until they are told to stop. */
export function startTraffic(people: number, nextUrl: () => string): Traffic {
  const users: string[] = [];
  const failures: string[] = [];
  let answered = 0;
  let running = true;

  const send: Send = async (what, expected, method, path, options) => {
    const answer = await call(nextUrl(), method, path, options);
    if (answer.status !== expected) throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
    answered += 1;
    return answer;
  };

  async function live(): Promise<void> {
    while (running) {
      try {
        await visit(send, users);
      } catch (error) {
        failures.push(describe(error));
      }
    }
  }

  const lives = Array.from({ length: people }, live);
  return {
    users,
    failures,
    answered: () => answered,
    async stop() {
      running = false;
      await Promise.all(lives);
    },
  };
}

async function visit(send: Send, users: string[]): Promise<void> {
  const email = newEmail();
  const registered = await send("register", 201, "POST", "/v1/users", { json: { email, password: PASSWORD } });
  users.push(String(registered.body["id"]));
  const form = { username: email, password: PASSWORD };
  const login = await send("login", 200, "POST", "/v1/auth/login", { form });
  const token = String(login.body["access_token"]);
  await send("look", 200, "GET", "/v1/users/me", { token });
  await send("rename", 200, "PATCH", "/v1/users/me", { token, json: { full_name: "Ada" } });
  await send("move", 200, "PATCH", "/v1/users/me", { token, json: { email: newEmail(), full_name: "Ada L." } });
  const refreshed = await send("refresh", 200, "POST", "/v1/auth/refresh", { cookie: login.cookie });
  const renewed = String(refreshed.body["access_token"]);
  if (decodeJwt(renewed)["sid"] !== decodeJwt(token)["sid"]) throw new Error("refresh: another session");
  await send("look again", 200, "GET", "/v1/auth/me", { token: renewed });
  await send("leave", 204, "POST", "/v1/auth/logout", { cookie: refreshed.cookie });
}

/** With its causes: fetch itself only says that it failed. */
function describe(error: unknown): string {
  const { message, cause } = error as Error;
  return cause === undefined ? message : `${message} (${describe(cause)})`;
}
