/** Counts the failures of unfinished messages, by their sequence in the stream. */
export interface FailureCounter {
  /** Counts one failure. Returns how often the message has failed. */
  failed(sequence: number): number;
  failures(sequence: number): number;
  forget(sequence: number): void;
  /** Forgets everything: in a recreated stream the sequences belong to other messages. */
  clear(): void;
}

/** @param limit beyond it, the message that failed longest ago is forgotten, which only gives it more attempts */
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
