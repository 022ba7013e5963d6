/** Counted failures of messages that have not been dealt with yet, by their sequence in the stream. */
export interface FailureCounter {
  /** @returns how often it has failed by now */
  failed(sequence: number): number;
  failures(sequence: number): number;
  forget(sequence: number): void;
  /** Another stream: its sequences mean other messages. */
  clear(): void;
}

/** Bounded: beyond `limit` the message that failed longest ago is forgotten, which only gives it more tries. */
export function createFailureCounter(limit = 10_000): FailureCounter {
  const counts = new Map<number, number>();
  return {
    failed(sequence) {
      const count = (counts.get(sequence) ?? 0) + 1;
      counts.delete(sequence);
      counts.set(sequence, count);
      const [oldest] = counts.keys();
      if (counts.size > limit && oldest !== undefined) counts.delete(oldest);
      return count;
    },
    failures: (sequence) => counts.get(sequence) ?? 0,
    forget: (sequence) => void counts.delete(sequence),
    clear: () => counts.clear(),
  };
}
