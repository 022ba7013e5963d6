import { setTimeout as pause } from "node:timers/promises";
import { createRotation, isLeaving, LEAVING_REST_MS } from "@gatehouse/access";
import { AppError } from "@gatehouse/errors";
import { createHttpCalls, errorType, type Logger } from "@gatehouse/observability";
import { Agent, request } from "undici";
import { readProblem } from "./auth-problem.ts";

interface AuthCommand {
  readonly method: "POST" | "PATCH";
  /** Its path as a pattern, in which `:id` stands for `id`; the pattern is what log and traces show. */
  readonly template: string;
  readonly id?: string;
  readonly body: object;
  /** True when sending the command twice does what sending it once does: then a lost answer is asked for again. */
  readonly repeatable: boolean;
}

export interface AuthTransportOptions {
  /** Where auth's replicas are, one or several; taken in turn. */
  readonly urls: readonly string[];
  readonly token: string;
  readonly logger: Logger;
  /** For a whole command, repetitions included. */
  readonly deadlineMilliseconds?: number;
}

/** Sends commands to auth. */
export interface AuthTransport {
  /**
   * The body of auth's 2xx answer.
   * @throws AppError auth's own refusal; ServiceUnavailable when auth is away or too busy; BadGateway when it answers badly
   */
  send(command: AuthCommand): Promise<unknown>;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: unknown;
}

const CONNECT_TIMEOUT_MILLISECONDS = 1_500;
/** Shorter than auth drains when it is stopped, so that a command never meets a connection that is being closed. */
const KEEP_ALIVE_MILLISECONDS = 1_000;
const UNREACHED_REST_MILLISECONDS = 1_000;
const FIRST_PAUSE_MILLISECONDS = 100;

/** Errors of connecting: nothing was sent, so another replica may be asked whatever the command. */
const UNREACHED = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

export function createAuthTransport(options: AuthTransportOptions): AuthTransport {
  const { urls, token, logger, deadlineMilliseconds = 10_000 } = options;
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MILLISECONDS },
    keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
    keepAliveMaxTimeout: KEEP_ALIVE_MILLISECONDS,
  });
  const rotation = createRotation(urls.length, () => performance.now());
  const calls = createHttpCalls();

  async function attempt(index: number, command: AuthCommand, milliseconds: number, resends: number): Promise<Answer> {
    const { method, template, id = "", body } = command;
    const url = urls[index] as string;
    const response = await calls.during({ url, method, template, resends }, (headers) =>
      request(new URL(template.replace(":id", id), url), {
        dispatcher: agent,
        method,
        headers: { ...headers, authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(Math.max(1, Math.round(milliseconds))),
      }),
    );
    if (isLeaving(response.headers)) rotation.rest(index, LEAVING_REST_MS);
    const text = await response.body.text();
    const retryAfter = response.headers["retry-after"];
    return {
      status: response.statusCode,
      retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
      body: parseJson(text),
    };
  }

  /** Asks each replica until one takes the command. Whether it may have been carried out when none answered is `sent`. */
  async function attemptEach(
    command: AuthCommand,
    milliseconds: number,
    nextResend: () => number,
  ): Promise<Answer | { sent: boolean }> {
    for (const index of rotation.order()) {
      try {
        return await attempt(index, command, milliseconds, nextResend());
      } catch (error) {
        const reason = errorType(error);
        logger.warn({ reason, path: command.template }, "auth did not answer");
        if (!UNREACHED.has(reason)) return { sent: true };
        rotation.rest(index, UNREACHED_REST_MILLISECONDS);
      }
    }
    return { sent: false };
  }

  async function send(command: AuthCommand): Promise<unknown> {
    const end = performance.now() + deadlineMilliseconds;
    // A repeatable command leaves time for its repetition.
    const share = command.repeatable ? deadlineMilliseconds / 2 : deadlineMilliseconds;
    let sent = false;
    let tries = 0;
    for (let rest = FIRST_PAUSE_MILLISECONDS; ; rest *= 2) {
      const outcome = await attemptEach(command, Math.min(share, end - performance.now()), () => tries++);
      if ("status" in outcome) return readAnswer(outcome, logger);
      sent ||= outcome.sent;
      if (!sent) throw away("Accounts cannot be changed at the moment; nothing was changed.");
      if (!command.repeatable || performance.now() + rest >= end)
        throw away("The answer to the change was lost; it may or may not have been carried out.");
      await pause(rest);
    }
  }

  return { send, close: () => agent.close() };
}

function readAnswer(answer: Answer, logger: Logger): unknown {
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  throw readProblem(answer, logger);
}

function away(detail: string): AppError {
  return new AppError("ServiceUnavailable", { detail, retryAfter: 1 });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
