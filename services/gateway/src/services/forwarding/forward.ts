import { AppError, PROBLEM_CONTENT_TYPE } from "@gatehouse/errors";
import {
  type Failure,
  type Upstream,
  UpstreamError,
  type UpstreamRequest,
  type UpstreamResponse,
} from "@gatehouse/upstream";

type ForwardCallback = (error: Error | null, response: UpstreamResponse | undefined) => void;

/**
 * Sends a client's request to a service, for the proxy, which takes a callback. The error is an AppError: ServiceUnavailable,
 * GatewayTimeout, BadGateway or BadRequest. A 5xx that is not problem+json is a BadGateway.
 * @param template the path as a pattern, for telemetry
 */
export function forward(
  upstream: Upstream,
  template: string,
  { path, method, headers, body = null }: UpstreamRequest,
  callback: ForwardCallback,
): void {
  upstream
    .send({ path, method, body, template, ...(headers && { headers }) }, (response) => response)
    .then(
      (response) => {
        if (response.statusCode < 500 || isProblem(response)) return callback(null, response);
        discard(response);
        return callback(unexpectedStatus(response), response);
      },
      (error: unknown) => callback(upstreamError(error), undefined),
    );
}

/** Returns a JSON document of a service. @param path without a client's input @throws AppError */
export async function getJson(upstream: Upstream, path: string): Promise<unknown> {
  const response = await upstream
    .send({ path, method: "GET" }, (received) => received)
    .catch((error: unknown) => {
      throw upstreamError(error);
    });
  if (response.statusCode === 200) return await response.body.json();
  discard(response);
  throw unexpectedStatus(response);
}

/** Returns the public error for a failure. Its cause can contain an internal address and is only logged. */
export function upstreamError(error: unknown): AppError {
  const failure: Failure = error instanceof UpstreamError ? error.failure : "broken";
  switch (failure) {
    case "unreached":
      return new AppError("ServiceUnavailable", { retryAfter: 1, cause: error });
    case "timeout":
      return new AppError("GatewayTimeout", { cause: error });
    case "invalid":
      return new AppError("BadRequest", { cause: error });
    case "broken":
      return new AppError("BadGateway", { cause: error });
  }
}

function isProblem({ headers }: UpstreamResponse): boolean {
  const type = headers["content-type"];
  return typeof type === "string" && type.startsWith(PROBLEM_CONTENT_TYPE);
}

function unexpectedStatus({ statusCode }: UpstreamResponse): AppError {
  return new AppError("BadGateway", { cause: new Error(`the service responded ${statusCode}`) });
}

/** Consumes the body, so that the connection can be used again. */
function discard(response: UpstreamResponse): void {
  response.body.dump().catch(() => undefined);
}
