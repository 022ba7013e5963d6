import { rememberSecret } from "@gatehouse/test-kit";
import { REFRESH_COOKIE } from "@gatehouse/contracts";
import { decodeJwt } from "jose";

/** What a test wants to know of an answer. */
export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
  /** The refresh cookie that the answer sets: its value, "" when it clears it, undefined when it leaves it alone. */
  readonly cookie: string | undefined;
}

export interface Call {
  readonly token?: string | undefined;
  readonly cookie?: string | undefined;
  readonly json?: unknown;
  readonly form?: Record<string, string>;
  readonly headers?: Record<string, string>;
}

/** One person's way to a gateway: plain requests, so that a test sees every status and header. */
export async function call<T = Record<string, unknown>>(
  base: string,
  method: string,
  path: string,
  { token, cookie, json, form, headers = {} }: Call = {},
): Promise<Answer<T>> {
  rememberSecretsIn(json);
  rememberSecretsIn(form);
  const response = await fetch(`${base}${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(cookie !== undefined && { cookie: `${REFRESH_COOKIE.name}=${cookie}` }),
      ...(json !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    ...(form !== undefined && { body: new URLSearchParams(form) }),
  });
  const text = await response.text();
  const set = response.headers.getSetCookie().find((line) => line.startsWith(`${REFRESH_COOKIE.name}=`));
  return {
    status: response.status,
    body: (text === "" ? {} : JSON.parse(text)) as T,
    headers: response.headers,
    cookie: set === undefined ? undefined : set.slice(REFRESH_COOKIE.name.length + 1, set.indexOf(";")),
  };
}

/** What is sent is looked for in the logs at the end. Tokens and emails are told by their looks. */
function rememberSecretsIn(sent: unknown): void {
  for (const [name, value] of Object.entries(sent ?? {})) {
    if (typeof value !== "string") continue;
    if (name.endsWith("password")) rememberSecret("a password", value);
    if (name === "full_name") rememberSecret("a person's name", value);
  }
}

/** The two things by which a client tells failures apart. */
export function problemOf({ status, body }: Answer): [number, unknown] {
  return [status, body["type"]];
}

export const PASSWORD = "Correct-Horse-1";
export const NEW_PASSWORD = "Battery-Staple-2";
for (const password of [PASSWORD, NEW_PASSWORD]) rememberSecret("a password", password);

export interface Person {
  readonly id: string;
  readonly email: string;
  readonly token: string;
  readonly cookie: string;
  readonly sessionId: string;
}

let registered = 0;
export const newEmail = () => `person-${process.pid}-${(registered += 1)}@example.com`;

export async function login(base: string, email: string, password = PASSWORD): Promise<Person> {
  const answer = await call<{ access_token: string; user: { id: string } }>(base, "POST", "/v1/auth/login", {
    form: { username: email, password },
  });
  if (answer.status !== 200) throw new Error(`login: ${answer.status} ${JSON.stringify(answer.body)}`);
  const token = answer.body.access_token;
  const sessionId = String(decodeJwt(token)["sid"]);
  return { id: answer.body.user.id, email, token, cookie: answer.cookie ?? "", sessionId };
}

/** A new user with one session. */
export async function register(base: string, fields: Record<string, unknown> = {}): Promise<Person> {
  const email = newEmail();
  const answer = await call(base, "POST", "/v1/users", { json: { email, password: PASSWORD, ...fields } });
  if (answer.status !== 201) throw new Error(`registration: ${answer.status} ${JSON.stringify(answer.body)}`);
  return login(base, email);
}

/** The admin whom FIRST_ADMIN_* makes. */
export const FIRST_ADMIN = { FIRST_ADMIN_EMAIL: "root@example.com", FIRST_ADMIN_PASSWORD: "Root-Of-All-1" };

export async function loginAdmin(base: string): Promise<Person> {
  const admin = await login(base, FIRST_ADMIN.FIRST_ADMIN_EMAIL, FIRST_ADMIN.FIRST_ADMIN_PASSWORD);
  // auth knows its first admin at once; the user service hears of it by an event.
  await until(async () => (await call(base, "GET", "/v1/auth/me", { token: admin.token })).status === 200);
  return admin;
}

/** Asks again until the answer is yes. For what comes by the bus, whose arrival nobody announces to a client. */
export async function until(condition: () => Promise<boolean>, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`it did not come about within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
