import { setTimeout as pause } from "node:timers/promises";
import { AppError } from "@gatehouse/errors";
import type { Logger } from "@gatehouse/observability";
import { createUpstream, UpstreamError, type UpstreamResponse } from "@gatehouse/upstream";
import { readProblem } from "./auth-problem.ts";

interface AuthCommand {
  readonly method: "POST" | "PATCH";
  /** The path as a pattern; the request replaces `:id` with `id`. Logs and traces show the pattern. */
  readonly template: string;
  readonly id?: string;
  readonly body: object;
  /** True when sending the command twice has the effect of sending it once: then it is sent again after a lost response. */
  readonly repeatable: boolean;
}

export interface AuthTransportDeps {
  /** The base URLs of auth's replicas. */
  readonly urls: readonly string[];
  readonly token: string;
  readonly logger: Logger;
  /** For a whole command with its retries. */
  readonly deadlineMs?: number;
}

/** Sends commands to auth. */
export interface AuthTransport {
  /**
   * Returns the body of auth's 2xx response.
   * @throws AppError auth's own problem; ServiceUnavailable when auth is down or busy; BadGateway for an unexpected response
   */
  send(command: AuthCommand): Promise<unknown>;
  close(): Promise<void>;
}

const FIRST_PAUSE_MS = 100;

export function createAuthTransport({ urls, token, logger, deadlineMs = 10_000 }: AuthTransportDeps): AuthTransport {
  const auth = createUpstream({ urls });

  function attempt({ method, template, id = "", body }: AuthCommand, timeoutMs: number, resends: number) {
    return auth.send(
      {
        method,
        path: template.replace(":id", id),
        template,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(body),
        timeoutMs: Math.max(1, Math.round(timeoutMs)),
        resends,
      },
      readResponse,
    );
  }

  async function send(command: AuthCommand): Promise<unknown> {
    const end = performance.now() + deadlineMs;
    // A repeatable command leaves time for its retry.
    const share = command.repeatable ? deadlineMs / 2 : deadlineMs;
    let wasSent = false;
    let resends = 0;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      try {
        const response = await attempt(command, Math.min(share, end - performance.now()), resends);
        if (response.status >= 200 && response.status < 300) return response.body;
        throw readProblem(response, logger);
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        logger.warn({ err: error, path: command.template }, "auth did not respond");
        wasSent ||= error.wasSent;
        resends += error.errors.length;
        if (!wasSent) throw unavailable("The account service is unavailable; nothing was changed. Try again shortly.");
        if (!command.repeatable || performance.now() + pauseMs >= end)
          throw unavailable("The response to the change was lost. Check whether it was made before you try again.");
      }
      await pause(pauseMs);
    }
  }

  return { send, close: () => auth.close() };
}

async function readResponse({ statusCode, headers, body }: UpstreamResponse) {
  const retryAfter = [headers["retry-after"]].flat()[0];
  return { status: statusCode, retryAfter, body: parseJson(await body.text()) };
}

function unavailable(detail: string): AppError {
  return new AppError("ServiceUnavailable", { detail, retryAfter: 1 });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
