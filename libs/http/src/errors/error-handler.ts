import { AppError, isAppError, problemHeaders, toProblem } from "@gatehouse/errors";
import type { FastifyReply, FastifyRequest } from "fastify";
import { finishReading } from "../requests/finish-reading.ts";
import { translateFrameworkError } from "./translate-framework-error.ts";

export type TranslateError = (error: unknown) => AppError | undefined;

/**
 * Returns the handler that turns every error into an answer (docs/reference/errors.md). `translate` knows the errors of the libraries
 * that a service uses. An unknown error is a bug: the answer is 500 without detail. The request's log line holds the error behind a 5xx.
 */
export function createErrorHandler(translate: TranslateError = () => undefined) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const known = isAppError(error) ? error : (translateFrameworkError(error) ?? translate(error));
    if (!known && reply.raw.closed && !isAbort(error))
      request.log.error({ err: error }, "request failed after the client disconnected");
    if (!known || known.status >= 500) request.failure = { err: known ?? error, isUnexpected: !known };
    sendProblem(reply, known ?? new AppError("InternalError"));
  };
}

/** Returns whether work was aborted because the client disconnected; that is no failure. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** Sends `error` as application/problem+json (RFC 9457). */
export function sendProblem(reply: FastifyReply, error: AppError): void {
  const { request } = reply;
  request.problem = error.code;
  const body = Buffer.from(JSON.stringify(toProblem(error, request.id)));
  reply.code(error.status).headers(problemHeaders(error)).header("content-length", body.byteLength);
  // A client that still sends would lose the answer if the connection closed, so the rest of the body is read first.
  if (error.code === "PayloadTooLarge" && !request.raw.complete) {
    reply.header("connection", "close").send(finishReading(request.raw, body));
  } else {
    reply.send(body);
  }
}
