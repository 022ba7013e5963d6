import { request } from "undici";

export interface Session {
  readonly id: string;
  readonly email: string;
  readonly token: string;
  readonly cookie: string;
}

export const PASSWORD = "Correct-Horse-1";
let number = 0;

/** One request; answers the status when the whole answer is here. */
export async function send(
  base: string,
  method: string,
  path: string,
  token?: string,
  json?: unknown,
  cookie?: string,
) {
  // Not fetch, which costs several times as much and would be measured with what it measures.
  const response = await request(`${base}${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(cookie !== undefined && { cookie: `refresh_token=${cookie}` }),
      ...(json !== undefined && { "content-type": "application/json" }),
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  });
  await response.body.dump();
  return response.statusCode;
}

export async function login(base: string, email: string, password = PASSWORD): Promise<Session> {
  const response = await fetch(`${base}/v1/auth/login`, {
    method: "POST",
    body: new URLSearchParams({ username: email, password }),
  });
  if (!response.ok) throw new Error(`login: ${response.status}`);
  const body = (await response.json()) as { access_token: string; user: { id: string } };
  const cookie = /refresh_token=([^;]+)/.exec(response.headers.getSetCookie().join())?.[1] ?? "";
  return { id: body.user.id, email, token: body.access_token, cookie };
}

/** Rotates a refresh token. @returns the next one */
export async function refresh(base: string, cookie: string): Promise<string> {
  const { statusCode, headers, body } = await request(`${base}/v1/auth/refresh`, {
    method: "POST",
    headers: { cookie: `refresh_token=${cookie}` },
  });
  await body.dump();
  if (statusCode !== 200) throw new Error(`refresh: ${statusCode}`);
  return /refresh_token=([^;]+)/.exec([headers["set-cookie"]].flat().join())?.[1] ?? "";
}

/** A new user with one session. */
export async function register(base: string): Promise<Session> {
  const email = `bench-${process.pid}-${(number += 1)}@example.com`;
  const status = await send(base, "POST", "/v1/users", undefined, { email, password: PASSWORD });
  if (status !== 201) throw new Error(`registration: ${status}`);
  return login(base, email);
}
