import { ProblemBody } from "@gatehouse/contracts";
import { AppError, type ErrorCode } from "@gatehouse/errors";
import type { Logger } from "@gatehouse/observability";

/** The problems of auth that concern the caller, who gets them unchanged. */
const CALLER_PROBLEMS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "InvalidCredentials",
  "TokenError",
  "TokenRevokedError",
  "InactiveUser",
  "PermissionDenied",
  "UserNotFound",
  "ConflictError",
  "EmailAlreadyExists",
  "LastAdmin",
  "ServiceUnavailable",
]);

/** What an operator does when the services do not understand each other. */
export const SAME_RELEASE = "run auth and user of the same release";

/**
 * Returns the error for a response of auth other than 2xx: auth's own problem when it concerns the caller, else BadGateway.
 * The latter is a rejected service token, a command that auth does not know, or a 500.
 */
export function readProblem(
  { status, retryAfter, body }: { status: number; retryAfter: string | undefined; body: unknown },
  logger: Logger,
): AppError {
  const problem = ProblemBody.safeParse(body);
  if (problem.success && CALLER_PROBLEMS.has(problem.data.type)) {
    const seconds = Number(retryAfter);
    return new AppError(problem.data.type, {
      detail: problem.data.detail,
      ...(retryAfter !== undefined && Number.isFinite(seconds) && { retryAfter: seconds }),
    });
  }
  const type = problem.success ? problem.data.type : undefined;
  const next = type === "AuthenticationError" ? "give auth and user the same INTERNAL_API_TOKEN" : SAME_RELEASE;
  const fields = { status, type, errors: problem.data?.errors };
  // Auth logs the cause of its own 5xx.
  if (status >= 500) logger.warn(fields, "auth returned an unexpected error");
  else logger.error({ ...fields, next }, "auth returned an unexpected error");
  return new AppError("BadGateway");
}
