import { type ProblemBody, REFRESH_COOKIE } from "@gatehouse/contracts";
import { isProblem, ProblemError, UnexpectedAnswerError } from "./problem-error.ts";

/** The tokens of a logged-in client. A refresh token is valid once, so always store the newest pair. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

export interface TransportOptions {
  /** The gateway's URL, for example `https://api.example.com`. */
  readonly baseUrl: string;
  /** Stored tokens of an earlier client. */
  readonly tokens?: Tokens;
  /** Called with the new tokens after every change, with undefined when the session has ended. */
  readonly onTokens?: (tokens: Tokens | undefined) => void;
  /** Timeout of one request. Default: 30,000. */
  readonly timeoutMs?: number;
}

interface Call {
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string | undefined>>;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
}

export interface Transport {
  tokens(): Tokens | undefined;
  /** Sends a call without a token. */
  send<T>(method: string, path: string, call?: Call): Promise<T>;
  /** Sends a call with the access token. When it has expired, refreshes once for all waiting calls and retries. */
  sendAs<T>(method: string, path: string, call?: Call): Promise<T>;
  /** Sends a call whose answer has an access token and the refresh cookie, and stores both. */
  enter<T extends { access_token: string }>(path: string, call: Call): Promise<T>;
  /** Rotates the refresh token. Simultaneous callers share one rotation, since a second use would end the session. */
  refresh(): Promise<void>;
  forget(): void;
}

const DEFAULT_TIMEOUT_MS = 30_000;

export function createTransport(options: TransportOptions): Transport {
  const { baseUrl, onTokens, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  let tokens = options.tokens;
  let rotating: Promise<void> | undefined;

  const setTokens = (next: Tokens | undefined) => {
    tokens = next;
    onTokens?.(next);
  };

  async function request(method: string, path: string, headers: Record<string, string>, call: Call) {
    const { json, form, query } = call;
    const url = new URL(path, baseUrl);
    for (const [name, value] of definedEntries(query)) url.searchParams.set(name, String(value));
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(json !== undefined && { "content-type": "application/json" }) },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(form !== undefined && { body: new URLSearchParams(definedEntries(form)) }),
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) throw await toError(response, method, path);
    return response;
  }

  async function enter<T extends { access_token: string }>(path: string, call: Call, headers = {}): Promise<T> {
    const response = await request("POST", path, headers, call);
    const body = (await response.json()) as T;
    const refreshToken = refreshCookieOf(response);
    if (refreshToken === undefined) throw new UnexpectedAnswerError(response.status, "POST", path);
    setTokens({ accessToken: body.access_token, refreshToken });
    return body;
  }

  async function rotate(): Promise<void> {
    const cookie = cookieHeader(tokens);
    try {
      await enter("/v1/auth/refresh", {}, cookie);
    } catch (error) {
      // A 401 ends the session. After any other error the same token is still valid.
      if (error instanceof ProblemError && error.problem.status === 401) setTokens(undefined);
      throw error;
    }
  }

  function refresh(): Promise<void> {
    rotating ??= rotate().finally(() => (rotating = undefined));
    return rotating;
  }

  async function sendAs<T>(method: string, path: string, call: Call = {}): Promise<T> {
    // The cookie goes only to its path. Logout accepts either token.
    const cookie = () => (path.startsWith(`${REFRESH_COOKIE.path}/`) ? cookieHeader(tokens) : {});
    const attempt = () => request(method, path, { ...bearerHeader(tokens), ...cookie() }, call);
    const used = tokens?.accessToken;
    try {
      return await bodyOf<T>(await attempt());
    } catch (error) {
      if (used === undefined || !isProblem(error, "TokenError")) throw error;
      // Another call may have refreshed in the meantime.
      if (tokens?.accessToken === used) await refresh();
      return bodyOf<T>(await attempt());
    }
  }

  return {
    tokens: () => tokens,
    send: async <T>(method: string, path: string, call: Call = {}) => bodyOf<T>(await request(method, path, {}, call)),
    sendAs,
    enter,
    refresh,
    forget: () => setTokens(undefined),
  };
}

function definedEntries<V>(values: Readonly<Record<string, V | undefined>> = {}): [string, V][] {
  return Object.entries(values).filter((entry): entry is [string, V] => entry[1] !== undefined);
}

function bearerHeader(tokens: Tokens | undefined): Record<string, string> {
  return tokens ? { authorization: `Bearer ${tokens.accessToken}` } : {};
}

function cookieHeader(tokens: Tokens | undefined): Record<string, string> {
  return tokens ? { cookie: `${REFRESH_COOKIE.name}=${tokens.refreshToken}` } : {};
}

/** Returns the refresh cookie that an answer sets, undefined when it sets none or clears it. */
function refreshCookieOf(response: Response): string | undefined {
  const prefix = `${REFRESH_COOKIE.name}=`;
  const line = response.headers.getSetCookie().find((one) => one.startsWith(prefix));
  return line?.slice(prefix.length).split(";")[0] || undefined;
}

async function bodyOf<T>(response: Response): Promise<T> {
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function toError(response: Response, method: string, path: string): Promise<Error> {
  const isProblemBody = response.headers.get("content-type")?.startsWith("application/problem+json");
  const text = await response.text();
  if (!isProblemBody) return new UnexpectedAnswerError(response.status, method, path);
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new ProblemError(JSON.parse(text) as ProblemBody, Number.isNaN(retryAfter) ? undefined : retryAfter);
}
