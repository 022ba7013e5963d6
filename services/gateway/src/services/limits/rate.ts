/** At most `limit` requests in `seconds`. */
export interface Rate {
  readonly limit: number;
  readonly seconds: number;
}

/** One key's state under one rate, after a request was counted. */
export interface Count {
  /** The limit's name. */
  readonly name: string;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window ends, at least 1. */
  readonly resetSeconds: number;
  /** True when this request is over the limit. */
  readonly exceeded: boolean;
}

const SECONDS = { second: 1, minute: 60, hour: 3_600, day: 86_400 } as const;

/** Parses a rate such as `120/minute`; undefined when the text is not a rate. */
export function parseRate(text: string): Rate | undefined {
  const match = /^\s*([1-9]\d{0,8})\s*\/\s*(second|minute|hour|day)\s*$/i.exec(text);
  if (!match) return undefined;
  return { limit: Number(match[1]), seconds: SECONDS[match[2]?.toLowerCase() as keyof typeof SECONDS] };
}

/** Returns the strictest count: an exceeded one with the longest wait, else the fewest remaining requests. */
export function strictestCount(counts: readonly Count[]): Count | undefined {
  return counts.reduce<Count | undefined>((strictest, count) => {
    if (!strictest) return count;
    if (count.exceeded !== strictest.exceeded) return count.exceeded ? count : strictest;
    if (!count.exceeded && count.remaining !== strictest.remaining)
      return count.remaining < strictest.remaining ? count : strictest;
    return count.resetSeconds > strictest.resetSeconds ? count : strictest;
  }, undefined);
}
