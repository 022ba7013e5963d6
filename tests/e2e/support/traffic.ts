import { decodeJwt } from "jose";
import { type Answer, call, type Call, newEmail, PASSWORD } from "@gatehouse/test-kit/api";

export interface Traffic {
  /** Ids of the registered users. */
  readonly users: readonly string[];
  /** Returns the number of requests with the expected status. */
  answered(): number;
  /** One line for each other request. */
  readonly failures: readonly string[];
  /** Resolves when each user has finished the current visit. */
  stop(): Promise<void>;
}

/** Sends one request of a visit to the next gateway. A visit registers, reads and changes a profile, refreshes and logs out. */
type Send = (what: string, expected: number, method: string, path: string, options?: Call) => Promise<Answer>;

/** Runs visits of `people` users at once, each user one visit after another, until `stop`. */
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
