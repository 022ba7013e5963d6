import { databaseUnavailable } from "../database-error.ts";

// Together less than two seconds, within which a request must fail when PostgreSQL is down.
const SUSPICIOUS_AFTER_MS = 900;
const TICK_MS = 100;

interface Pending {
  readonly since: number;
  readonly abandon: (reason: Error) => void;
}

/** Distinguishes a slow answer from a server that stopped answering without closing connections, such as behind a cut network. */
export interface ServerWatch {
  /** Settles like `work`, or rejects with ServiceUnavailable when the server stops answering; `abandon` then ends the work. */
  guard<R>(work: Promise<R>, abandon: (reason: Error) => void): Promise<R>;
  /** Records that the server answered just now. */
  sawAnswer(): void;
  close(): void;
}

export interface ServerWatchDeps {
  /** Returns true when the server answers on a new connection; settles within 0.7 s. */
  readonly probe: () => Promise<boolean>;
  /** How long work may take while the server answers other work. */
  readonly limitMs: number;
}

/**
 * When work takes longer than 0.9 s and the server answers no other work, the watch runs the probe. When the probe fails, all work that
 * began before it is abandoned. A long statement therefore continues as long as the server answers.
 */
export function createServerWatch({ probe, limitMs }: ServerWatchDeps): ServerWatch {
  const pending = new Set<Pending>();
  let lastAnswer = -Infinity;
  let probing = false;
  let timer: NodeJS.Timeout | undefined;

  function abandonSince(moment: number, why: string): void {
    for (const one of pending) {
      // The set is ordered by age.
      if (one.since > moment) return;
      one.abandon(databaseUnavailable(new Error(why)));
    }
  }

  async function runProbe(): Promise<void> {
    probing = true;
    const startedAt = performance.now();
    try {
      if (await probe()) lastAnswer = performance.now();
      // Reads answers that arrived while this process was busy; they count.
      await new Promise((resolve) => setImmediate(resolve));
      if (lastAnswer < startedAt) abandonSince(startedAt, "the database does not answer");
    } finally {
      probing = false;
    }
  }

  function check(): void {
    const [oldest] = pending;
    if (oldest === undefined) return stop();
    const now = performance.now();
    abandonSince(now - limitMs, "the database took too long to answer");
    if (!probing && now - Math.max(oldest.since, lastAnswer) >= SUSPICIOUS_AFTER_MS) void runProbe();
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    guard(work, abandon) {
      timer ??= setInterval(check, TICK_MS).unref();
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
