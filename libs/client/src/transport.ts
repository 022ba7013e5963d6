import { type ProblemBody, REFRESH_COOKIE } from "@gatehouse/contracts";
import { isProblem, ProblemError, UnexpectedAnswerError } from "./problem-error.ts";

/** What a logged-in client holds. The refresh token is good once: whoever keeps tokens must keep the newest. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

export interface TransportOptions {
  /** The gateway's, such as `https://api.example.com`. */
  readonly baseUrl: string;
  /** Of an earlier life of the client. */
  readonly tokens?: Tokens;
  /** Told of every change, so that they can be kept; undefined when the session is over. */
  readonly onTokens?: (tokens: Tokens | undefined) => void;
  /** How long one request may take, 30 s unless told. */
  readonly timeoutMs?: number;
}

interface Call {
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string | undefined>>;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
}

export interface Transport {
  tokens(): Tokens | undefined;
  /** Without a token: registration and the like. */
  send<T>(method: string, path: string, call?: Call): Promise<T>;
  /** With the access token; when that has expired it is refreshed, once for all who wait, and the call repeated. */
  sendAs<T>(method: string, path: string, call?: Call): Promise<T>;
  /** A call whose answer carries an access token and the cookie. */
  enter<T extends { access_token: string }>(path: string, call: Call): Promise<T>;
  /** Rotates the refresh token; simultaneous callers share one rotation, since a second one would end the session. */
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
      // Refused, the session is over. Anything else may be tried again with the same token.
      if (error instanceof ProblemError && error.problem.status === 401) setTokens(undefined);
      throw error;
    }
  }

  function refresh(): Promise<void> {
    rotating ??= rotate().finally(() => (rotating = undefined));
    return rotating;
  }

  async function sendAs<T>(method: string, path: string, call: Call = {}): Promise<T> {
    // As the cookie's path demands. Logout goes by either token.
    const cookie = () => (path.startsWith(`${REFRESH_COOKIE.path}/`) ? cookieHeader(tokens) : {});
    const attempt = () => request(method, path, { ...bearerHeader(tokens), ...cookie() }, call);
    const used = tokens?.accessToken;
    try {
      return await bodyOf<T>(await attempt());
    } catch (error) {
      if (used === undefined || !isProblem(error, "TokenError")) throw error;
      // Somebody else may have refreshed while this call was under way.
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

/** The value that an answer sets the refresh cookie to; undefined when it sets none or clears it. */
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
