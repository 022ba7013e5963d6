import { createRotation } from "./rotation.ts";

/** The replicas of one service, asked in turn. */
export interface Replicas {
  /**
   * Puts a question to one replica after another until one answers. `resends` is how many were asked before.
   * @throws AggregateError with the error of every try
   */
  ask<T>(question: (url: string, resends: number) => Promise<T>): Promise<T>;
}

/** How long a replica that did not answer is asked after the others. */
const REST_MS = 5_000;

/** @param now milliseconds of a monotonic clock */
export function createReplicas(urls: readonly string[], now: () => number): Replicas {
  const rotation = createRotation(urls.length, now);

  return {
    async ask(question) {
      const errors: unknown[] = [];
      const candidates = [...rotation.order()];
      for (const index of candidates) {
        try {
          return await question(urls[index] as string, errors.length);
        } catch (error) {
          errors.push(error);
          rotation.rest(index, REST_MS);
          // A kept-alive connection may have died with the process before this one, so a lone replica gets a second chance.
          if (candidates.length === 1 && !tookItsTime(error)) candidates.push(index);
        }
      }
      throw new AggregateError(errors, `no replica answers: ${errors.map(reasonOf).join("; ")}`);
    },
  };
}

/** Whether nothing came within the time that was given for an answer (AbortSignal.timeout). */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === "TimeoutError";
}

/** Waiting once more would only take as long again. */
function tookItsTime(error: unknown): boolean {
  return error instanceof Error && (isTimeout(error) || isTimeout(error.cause) || error.name === "ConnectTimeoutError");
}

/** A code rather than words, which name addresses, or are empty where a name has several of them. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const codes = [error.cause, error].map((one) => (one as { code?: unknown } | undefined)?.code);
  return codes.find((code) => typeof code === "string") ?? error.message;
}
