import { rememberSecret } from "../secrets.ts";
import { type Answer, call } from "./call.ts";

export const PASSWORD = "Correct-Horse-1";
export const NEW_PASSWORD = "Battery-Staple-2";
for (const password of [PASSWORD, NEW_PASSWORD]) rememberSecret("a password", password);

/** The admin whom auth creates at its first start. */
export const FIRST_ADMIN = { FIRST_ADMIN_EMAIL: "root@example.com", FIRST_ADMIN_PASSWORD: "Root-Of-All-1" };

/** A user with one session. */
export interface Person {
  readonly id: string;
  readonly email: string;
  readonly token: string;
  readonly cookie: string;
  readonly sessionId: string;
}

let registered = 0;
export const newEmail = () => `person-${process.pid}-${(registered += 1)}@example.com`;

/** @throws Error when the login is refused */
export async function login(base: string, email: string, password = PASSWORD): Promise<Person> {
  const form = { username: email, password };
  const answer = await call<{ access_token: string; user: { id: string } }>(base, "POST", "/v1/auth/login", { form });
  if (answer.status !== 200) throw new Error(`login: ${answer.status} ${JSON.stringify(answer.body)}`);
  const token = answer.body.access_token;
  return { id: answer.body.user.id, email, token, cookie: answer.cookie ?? "", sessionId: readToken(token).sid };
}

/** Registers a user and logs it in. @throws Error when either is refused */
export async function register(base: string, fields: Record<string, unknown> = {}): Promise<Person> {
  const email = newEmail();
  const answer = await call(base, "POST", "/v1/users", { json: { email, password: PASSWORD, ...fields } });
  if (answer.status !== 201) throw new Error(`registration: ${answer.status} ${JSON.stringify(answer.body)}`);
  return login(base, email);
}

/** Logs the first admin in and waits until the user service knows it, which takes an event. */
export async function loginAdmin(base: string): Promise<Person> {
  const admin = await login(base, FIRST_ADMIN.FIRST_ADMIN_EMAIL, FIRST_ADMIN.FIRST_ADMIN_PASSWORD);
  await until(async () => (await call(base, "GET", "/v1/auth/me", { token: admin.token })).status === 200);
  return admin;
}

/** Status and problem type: clients tell failures apart by them. */
export function problemOf({ status, body }: Answer): [number, unknown] {
  return [status, body["type"]];
}

/** The header and the claims of an access token, unverified; `exp` in seconds since 1970. */
export function readToken(token: string): { kid: string; exp: number; sub: string; sid: string } {
  const parts = token.split(".").slice(0, 2);
  return Object.assign({}, ...parts.map((part) => JSON.parse(Buffer.from(part, "base64url").toString()) as object));
}

/**
 * Repeats the condition until it is true.
 * @throws Error when `withinMs` is over, or when `signal` is aborted
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  withinMs = 10_000,
  { what = "the expected state", everyMs = 2, signal }: { what?: string; everyMs?: number; signal?: AbortSignal } = {},
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    signal?.throwIfAborted();
    if (performance.now() > deadline) throw new Error(`${what}: not reached within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
