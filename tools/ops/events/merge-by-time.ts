/** Merges the messages of several streams in the order of their times. */
export interface TimeMerge<T> {
  push(stream: string, at: Date, item: T): void;
  /** The stream has delivered its past; nothing waits for it from now on. */
  caughtUp(stream: string): void;
}

/**
 * Holds an item until no stream can deliver an earlier one. With more than `limit` items on hold the earliest is emitted, so
 * that one long stream does not fill the memory.
 */
export function createTimeMerge<T>(streams: readonly string[], emit: (item: T) => void, limit = 10_000): TimeMerge<T> {
  const behind = new Set(streams);
  const queues = new Map<string, { at: Date; item: T }[]>(streams.map((stream) => [stream, []]));
  let count = 0;

  function release(): void {
    while (count > 0 && (count > limit || [...behind].every((stream) => queues.get(stream)?.length))) {
      const [queue] = [...queues.values()]
        .filter(({ length }) => length > 0)
        .toSorted(([a], [b]) => Number(a?.at) - Number(b?.at));
      const first = queue?.shift();
      if (first === undefined) return;
      count -= 1;
      emit(first.item);
    }
  }

  return {
    push(stream, at, item) {
      queues.get(stream)?.push({ at, item });
      count += 1;
      release();
    },
    caughtUp(stream) {
      behind.delete(stream);
      release();
    },
  };
}
