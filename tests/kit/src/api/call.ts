import { REFRESH_COOKIE } from "@gatehouse/contracts";
import { request } from "undici";
import { rememberSecret } from "../secrets.ts";

/** The answer to one request. */
export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
  /** The refresh cookie that the answer sets: its value, "" when it clears it, undefined when it sets none. */
  readonly cookie: string | undefined;
}

export interface Call {
  readonly token?: string | undefined;
  readonly cookie?: string | undefined;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/**
 * Sends one request and reads the whole answer, whatever its status is. libs/client throws on refusals and refreshes by itself;
 * tests and load have to see every status. undici's `request` costs a fraction of `fetch`, on cores that the system needs.
 * @throws Error when no answer arrives
 */
export async function call<T = Record<string, unknown>>(
  base: string,
  method: string,
  path: string,
  { token, cookie, json, form, headers: extra, timeoutMs }: Call = {},
): Promise<Answer<T>> {
  rememberSecretsIn(json);
  rememberSecretsIn(form);
  const body = json === undefined ? form && new URLSearchParams(form).toString() : JSON.stringify(json);
  const response = await request(`${base}${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(cookie !== undefined && { cookie: `${REFRESH_COOKIE.name}=${cookie}` }),
      ...(json !== undefined && { "content-type": "application/json" }),
      ...(form !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
      ...extra,
    },
    ...(body !== undefined && { body }),
    ...(timeoutMs !== undefined && { signal: AbortSignal.timeout(timeoutMs) }),
  });
  const text = await response.body.text();
  return {
    status: response.statusCode,
    body: (text === "" ? {} : JSON.parse(text)) as T,
    // Few callers read them, and load generators never do.
    get headers() {
      const pairs = Object.entries(response.headers).flatMap(([name, values]) =>
        [values ?? []].flat().map((value): [string, string] => [name, value]),
      );
      return new Headers(pairs);
    },
    cookie: refreshCookieIn([response.headers["set-cookie"] ?? []].flat()),
  };
}

/** As `call`, but a request without a response has the status 0 and its error code as the `type` of the body. */
export async function tryCall(
  next: string | (() => string),
  method: string,
  path: string,
  options: Call,
): Promise<Answer> {
  try {
    return await call(typeof next === "string" ? next : next(), method, path, options);
  } catch (error) {
    const { code, name } = error as { code?: unknown; name: string };
    const body = { type: typeof code === "string" ? code : name };
    return { status: 0, body, headers: new Headers(), cookie: undefined };
  }
}

function refreshCookieIn(lines: readonly string[]): string | undefined {
  const prefix = `${REFRESH_COOKIE.name}=`;
  const line = lines.find((one) => one.startsWith(prefix));
  return line?.slice(prefix.length).split(";")[0];
}

/** No log may contain these values. Patterns find tokens and emails. */
function rememberSecretsIn(sent: unknown): void {
  for (const [name, value] of Object.entries(sent ?? {})) {
    if (typeof value !== "string") continue;
    if (name.endsWith("password")) rememberSecret("a password", value);
    if (name === "full_name") rememberSecret("a person's name", value);
  }
}
