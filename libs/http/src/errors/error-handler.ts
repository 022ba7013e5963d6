import { AppError, isAppError, problemHeaders, toProblem } from "@gatehouse/errors";
import type { FastifyReply, FastifyRequest } from "fastify";
import { finishReading } from "../requests/finish-reading.ts";
import { translateFrameworkError } from "./translate-framework-error.ts";

export type TranslateError = (error: unknown) => AppError | undefined;

/**
 * The one place where errors become answers (contract, section 3). `translate` knows the errors of the libraries that
 * a service uses; what nobody knows is a bug, answered as 500 without detail. The error behind a 5xx is part of the request's line in the log.
 */
export function createErrorHandler(translate: TranslateError = () => undefined) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const known = isAppError(error) ? error : (translateFrameworkError(error) ?? translate(error));
    if (!known && reply.raw.closed && !isAbort(error))
      request.log.error({ err: error }, "a request failed after its client had left");
    if (!known || known.status >= 500) request.failure = { err: known ?? error, isUnexpected: !known };
    sendProblem(reply, known ?? new AppError("InternalError"));
  };
}

/** Work that was given up because nobody waits for it any more, such as an answer that was being passed on: that is no failure. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** Answers `error` as problem+json. */
export function sendProblem(reply: FastifyReply, error: AppError): void {
  const { request } = reply;
  request.problem = error.code;
  const body = Buffer.from(JSON.stringify(toProblem(error, request.id)));
  reply.code(error.status).headers(problemHeaders(error)).header("content-length", body.byteLength);
  // A client that is still sending reads no answer when its connection is cut, so the rest of its body is taken in.
  if (error.code === "PayloadTooLarge" && !request.raw.complete) {
    reply.header("connection", "close").send(finishReading(request.raw, body));
  } else {
    reply.send(body);
  }
}
