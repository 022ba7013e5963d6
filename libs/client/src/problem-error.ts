import type { ProblemBody } from "@gatehouse/contracts";

/** An error answer of the gateway. `problem` is its body (RFC 9457); switch on `problem.type`. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly problem: ProblemBody;
  /** Seconds to wait before a retry, from Retry-After. */
  readonly retryAfter: number | undefined;

  constructor(problem: ProblemBody, retryAfter?: number) {
    super(`${problem.status} ${problem.type}: ${problem.detail} (correlation id ${problem.correlation_id})`);
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** An answer that is not the gateway's, for example from a proxy in between. */
export class UnexpectedAnswerError extends Error {
  override readonly name = "UnexpectedAnswerError";
  readonly status: number;

  constructor(status: number, method: string, path: string) {
    super(`${method} ${path} returned ${status} without a problem+json body`);
    this.status = status;
  }
}

export function isProblem(error: unknown, type: ProblemBody["type"]): error is ProblemError {
  return error instanceof ProblemError && error.problem.type === type;
}
