import { REFRESH_COOKIE } from "@gatehouse/contracts";
import type { Tally } from "./tally.ts";

/** `unanswered`: it may or may not have been carried out, now or a little later (a 5xx, or no answer at all). */
export type Outcome = "done" | "refused" | "unanswered";

export interface Answer {
  readonly outcome: Outcome;
  /** 0 when there was none. */
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** The refresh cookie that it sets; undefined when it leaves it alone. */
  readonly cookie: string | undefined;
  /** By `performance.now()`, when the whole answer was here. */
  readonly at: number;
}

export interface Request {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly token?: string | undefined;
  readonly cookie?: string | undefined;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
}

/** Longer than the services' own limits, so that it is they who answer. */
const PATIENCE_MS = 40_000;

/** Sends one request and waits for its end. Never throws; counts how it ended. `act` names it where it must not have ended so. */
export async function call(base: string, act: string, request: Request, tally: Tally): Promise<Answer> {
  const answer = await send(base, request);
  tally.count(answer, `${act} ${request.method} ${request.path}`);
  return answer;
}

async function send(base: string, { method, path, token, cookie, json, form }: Request): Promise<Answer> {
  try {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(cookie !== undefined && { cookie: `${REFRESH_COOKIE.name}=${cookie}` }),
        ...(json !== undefined && { "content-type": "application/json" }),
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(form !== undefined && { body: new URLSearchParams(form) }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await response.text();
    const { status } = response;
    const body = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
    return { outcome: outcomeOf(status), status, body, cookie: cookieOf(response.headers), at: performance.now() };
  } catch {
    return { outcome: "unanswered", status: 0, body: {}, cookie: undefined, at: performance.now() };
  }
}

function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return "done";
  return status >= 400 && status < 500 ? "refused" : "unanswered";
}

function cookieOf(headers: Headers): string | undefined {
  const set = headers.getSetCookie().find((line) => line.startsWith(`${REFRESH_COOKIE.name}=`));
  return set?.slice(REFRESH_COOKIE.name.length + 1, set.indexOf(";"));
}
