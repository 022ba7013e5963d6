/** The replicas of one service, asked in turn. */
export interface Replicas {
  /**
   * Puts a question to one replica after another until one answers.
   * @throws AggregateError with the error of every try
   */
  ask<T>(question: (url: string) => Promise<T>): Promise<T>;
}

/** How long a replica that did not answer is asked after the others. */
const REST_MS = 5_000;

/** @param now milliseconds of a monotonic clock */
export function createReplicas(urls: readonly string[], now: () => number): Replicas {
  const restsUntil = new Map<string, number>();
  let turn = 0;

  function order(): string[] {
    const first = turn++ % urls.length;
    const round = [...urls.slice(first), ...urls.slice(0, first)];
    const resting = (url: string) => (restsUntil.get(url) ?? Number.NEGATIVE_INFINITY) > now();
    return [...round.filter((url) => !resting(url)), ...round.filter(resting)];
  }

  return {
    async ask(question) {
      const errors: unknown[] = [];
      const candidates = order();
      for (const url of candidates) {
        try {
          return await question(url);
        } catch (error) {
          errors.push(error);
          restsUntil.set(url, now() + REST_MS);
          // A kept-alive connection may have died with the process before this one, so a lone replica gets a second chance.
          if (candidates.length === 1 && !isTimeout(error)) candidates.push(url);
        }
      }
      throw new AggregateError(errors, `no replica answers: ${errors.map(reasonOf).join("; ")}`);
    },
  };
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === "TimeoutError";
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const cause = error.cause as { code?: unknown } | undefined;
  return typeof cause?.code === "string" ? cause.code : error.message;
}
