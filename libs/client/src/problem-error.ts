import type { ProblemBody } from "@gatehouse/contracts";

/** The gateway refused: `problem` is its answer, `problem.type` is what to switch on. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly problem: ProblemBody;
  /** Seconds to wait before another try, where the gateway says so. */
  readonly retryAfter: number | undefined;

  constructor(problem: ProblemBody, retryAfter?: number) {
    super(`${problem.status} ${problem.type}: ${problem.detail} (correlation id ${problem.correlation_id})`);
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** Something answered that does not speak as the gateway does, such as a proxy in between. */
export class UnexpectedAnswerError extends Error {
  override readonly name = "UnexpectedAnswerError";
  readonly status: number;

  constructor(status: number, method: string, path: string) {
    super(`${method} ${path} was answered with ${status} and no problem+json`);
    this.status = status;
  }
}

export function isProblem(error: unknown, type: ProblemBody["type"]): error is ProblemError {
  return error instanceof ProblemError && error.problem.type === type;
}
