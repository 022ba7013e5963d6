import { databaseUnavailable } from "../database-error.ts";

// Together under the two seconds within which a request must fail when PostgreSQL is away.
const SUSPICIOUS_AFTER_MS = 900;
const TICK_MS = 100;

interface Pending {
  readonly since: number;
  readonly abandon: (reason: Error) => void;
}

/** Tells a slow answer from a server that is gone without a word (a cut network), in which nothing else ever fails. */
export interface ServerWatch {
  /** Settles as `work` does, or with ServiceUnavailable when the server is found to be away first; `abandon` then ends the work. */
  guard<R>(work: Promise<R>, abandon: (reason: Error) => void): Promise<R>;
  /** The server answered something just now. */
  sawAnswer(): void;
  close(): void;
}

export interface ServerWatchOptions {
  /** Whether the server answers a connection of its own; settles within 0.7 s. */
  readonly probe: () => Promise<boolean>;
  /** The longest that work may take while the server answers others. */
  readonly limitMilliseconds: number;
}

/**
 * Work that takes longer than 0.9 s while the server answers nobody makes the watch ask it by the probe. When that fails too,
 * everything begun before the probe is abandoned. So a long statement goes on as long as the server is there.
 */
export function createServerWatch({ probe, limitMilliseconds }: ServerWatchOptions): ServerWatch {
  const pending = new Set<Pending>();
  let lastAnswer = -Infinity;
  let probing = false;
  let timer: NodeJS.Timeout | undefined;

  function abandonSince(moment: number, why: string): void {
    for (const one of pending) {
      // Insertion order is order of age.
      if (one.since > moment) return;
      one.abandon(databaseUnavailable(new Error(why)));
    }
  }

  async function ask(): Promise<void> {
    probing = true;
    const askedAt = performance.now();
    try {
      if (await probe()) lastAnswer = performance.now();
      // Answers that arrived while this process was too busy to read them are read now, and count.
      await new Promise((resolve) => setImmediate(resolve));
      if (lastAnswer < askedAt) abandonSince(askedAt, "the database does not answer");
    } finally {
      probing = false;
    }
  }

  function look(): void {
    const [oldest] = pending;
    if (oldest === undefined) return stop();
    const now = performance.now();
    abandonSince(now - limitMilliseconds, "the database took too long to answer");
    if (!probing && now - Math.max(oldest.since, lastAnswer) >= SUSPICIOUS_AFTER_MS) void ask();
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    guard(work, abandon) {
      timer ??= setInterval(look, TICK_MS).unref();
      return new Promise((resolve, reject) => {
        const entry: Pending = {
          since: performance.now(),
          abandon: (reason) => {
            pending.delete(entry);
            abandon(reason);
            reject(reason);
          },
        };
        pending.add(entry);
        work.then(resolve, reject).finally(() => pending.delete(entry));
      });
    },

    sawAnswer() {
      lastAnswer = performance.now();
    },

    close: stop,
  };
}
