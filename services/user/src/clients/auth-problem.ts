import { ProblemBody } from "@gatehouse/contracts";
import { AppError, type ErrorCode } from "@gatehouse/errors";
import type { Logger } from "@gatehouse/observability";

/** What auth may say to a command that concerns the caller: it is passed on as it is. */
const PASSED_ON: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
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

/** What is to be done about two services that do not understand each other. */
export const SAME_RELEASE = "run auth and user of the same release";

/**
 * The error that an answer of auth other than 2xx means here: its own problem where that concerns the caller.
 * Anything else (a refused service token, a command it does not understand, a 500) is between the services: BadGateway.
 */
export function readProblem(
  { status, retryAfter, body }: { status: number; retryAfter: string | undefined; body: unknown },
  logger: Logger,
): AppError {
  const problem = ProblemBody.safeParse(body);
  if (problem.success && PASSED_ON.has(problem.data.type)) {
    const seconds = Number(retryAfter);
    return new AppError(problem.data.type, {
      detail: problem.data.detail,
      ...(retryAfter !== undefined && Number.isFinite(seconds) && { retryAfter: seconds }),
    });
  }
  const type = problem.success ? problem.data.type : undefined;
  const next = type === "AuthenticationError" ? "give auth and user the same INTERNAL_API_TOKEN" : SAME_RELEASE;
  const line = { status, type, errors: problem.data?.errors };
  // A 5xx is auth's to report, and its log says more.
  if (status >= 500) logger.warn(line, "auth answered badly");
  else logger.error({ ...line, next }, "auth answered badly");
  return new AppError("BadGateway");
}
