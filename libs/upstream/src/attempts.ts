import { type Failure, failureOf, UpstreamError } from "./failure.ts";
import type { Rotation } from "./rotation.ts";

/**
 * What may be sent again to the next replica.
 * `unsent`: only a request that was not sent; for commands. `broken`: also after the connection broke; for reads.
 * `always`: also after a timeout or a response that the caller rejects; for short questions.
 */
export type Retry = "unsent" | "broken" | "always";

export interface AttemptsDeps {
  readonly rotation: Rotation;
  /** How long a replica that failed is tried after the others, in milliseconds. */
  readonly restMs: number;
}

/**
 * Returns a function that runs `attempt` on one replica after another until one succeeds; `resends` counts the
 * attempts before. It throws UpstreamError with the error of each attempt.
 */
export function createAttempts({ rotation, restMs }: AttemptsDeps) {
  return async function attemptEach<T>(
    retry: Retry,
    attempt: (index: number, resends: number) => Promise<T>,
  ): Promise<T> {
    const order = rotation.order();
    const errors: unknown[] = [];
    for (;;) {
      const index = order[errors.length % order.length] as number;
      try {
        return await attempt(index, errors.length);
      } catch (error) {
        errors.push(error);
        const failure = failureOf(error);
        if (failure === "unreached" || retry === "always") rotation.rest(index, restMs);
        if (!mayResend(retry, failure) || errors.length >= attemptsMax(order.length, retry, error))
          throw new UpstreamError(errors);
      }
    }
  };
}

function mayResend(retry: Retry, failure: Failure): boolean {
  if (failure === "unreached") return true;
  if (failure === "broken") return retry !== "unsent";
  return failure === "timeout" && retry === "always";
}

/** A single replica gets a second attempt: its kept connection may just have closed. After a timeout it would only wait again. */
function attemptsMax(replicas: number, retry: Retry, error: unknown): number {
  const isLate = error instanceof Error && /^(?:Timeout|ConnectTimeout)Error$/.test(error.name);
  return replicas === 1 && retry !== "unsent" && !isLate ? 2 : replicas;
}
