import { Agent, request } from "undici";
import type { Tally } from "./tally.ts";

interface Request {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: string;
  /** The one status that it is to be answered with. */
  readonly expected: number;
  readonly token?: string;
  readonly cookie?: string;
  readonly json?: object;
  readonly form?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly body: Readonly<Record<string, unknown>>;
  /** The refresh cookie that it sets. */
  readonly cookie: string | undefined;
}

/** Sends requests to the gateway whose turn it is, each once, and counts every answer. */
export interface Client {
  /** @returns undefined when the answer was not the expected one */
  send(request: Request): Promise<Answer | undefined>;
  close(): Promise<void>;
}

const ANSWER_LIMIT_MS = 15_000;

export function createClient(nextUrl: () => string, tally: Tally): Client {
  const dispatcher = new Agent();
  return {
    async send(given) {
      const outcome = { route: `${given.method} ${given.path}`, expected: given.expected };
      try {
        // Not fetch, which costs several times as much on the cores that the system runs on.
        const { statusCode, headers, body } = await request(`${nextUrl()}${given.path}`, {
          dispatcher,
          method: given.method,
          headers: headersOf(given),
          body: bodyOf(given),
          signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
        });
        const text = await body.text();
        const parsed = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
        tally.count({ ...outcome, status: statusCode, reason: textOf(parsed["type"]) });
        if (statusCode !== given.expected) return undefined;
        return { body: parsed, cookie: /refresh_token=([^;]+)/.exec([headers["set-cookie"]].flat().join())?.[1] };
      } catch (error) {
        const { code, name } = error as { code?: unknown; name: string };
        tally.count({ ...outcome, status: 0, reason: typeof code === "string" ? code : name });
        return undefined;
      }
    },
    close: () => dispatcher.close(),
  };
}

function headersOf({ token, cookie, json, form }: Request): Record<string, string> {
  return {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(cookie !== undefined && { cookie: `refresh_token=${cookie}` }),
    ...(json !== undefined && { "content-type": "application/json" }),
    ...(form !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
  };
}

function bodyOf({ json, form }: Request): string | null {
  if (json !== undefined) return JSON.stringify(json);
  return form === undefined ? null : new URLSearchParams(form).toString();
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
