import { AppError, type ErrorCode } from "@gatehouse/errors";

const CODES_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: "BadRequest",
  404: "ResourceNotFound",
  413: "PayloadTooLarge",
  415: "UnsupportedMediaType",
  429: "RateLimitExceeded",
};

const DETAILS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: "The body is not well-formed JSON",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "The body is not as long as Content-Length says",
  FST_ERR_CTP_BODY_TOO_LARGE: "The body is too large",
  FST_ERR_BAD_URL: "The URL is not well formed",
};

/** Returns the AppError for a client error (4xx) that Fastify or Node raised, undefined for any other error. */
export function translateFrameworkError(error: unknown): AppError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  if (typeof code !== "string" || typeof statusCode !== "number" || statusCode < 400 || statusCode > 499)
    return undefined;
  // An aborted body has Node's code and Fastify's status 400.
  if (!code.startsWith("FST_") && code !== "ECONNRESET" && !code.startsWith("HPE_")) return undefined;
  const detail = DETAILS[code];
  return new AppError(CODES_BY_STATUS[statusCode] ?? "BadRequest", { ...(detail && { detail }), cause: error });
}
