/** So many requests in so many seconds. */
export interface Rate {
  readonly limit: number;
  readonly seconds: number;
}

/** One key's state under one rate, after a request was counted. */
export interface Count {
  /** Of the limit. */
  readonly name: string;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window ends, at least 1. */
  readonly resetSeconds: number;
  /** This request was one too many. */
  readonly exceeded: boolean;
}

const SECONDS = { second: 1, minute: 60, hour: 3_600, day: 86_400 } as const;

/** Reads `120/minute`; undefined when the text is no rate. */
export function parseRate(text: string): Rate | undefined {
  const match = /^\s*([1-9]\d{0,8})\s*\/\s*(second|minute|hour|day)\s*$/i.exec(text);
  if (!match) return undefined;
  return { limit: Number(match[1]), seconds: SECONDS[match[2]?.toLowerCase() as keyof typeof SECONDS] };
}

/** The count whose end is nearest: an exceeded one first (the longest wait), else the fewest requests left. */
export function nearestItsEnd(counts: readonly Count[]): Count | undefined {
  return counts.reduce<Count | undefined>((nearest, count) => {
    if (!nearest) return count;
    if (count.exceeded !== nearest.exceeded) return count.exceeded ? count : nearest;
    if (!count.exceeded && count.remaining !== nearest.remaining)
      return count.remaining < nearest.remaining ? count : nearest;
    return count.resetSeconds > nearest.resetSeconds ? count : nearest;
  }, undefined);
}
