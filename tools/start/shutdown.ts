/** What must be released at the end, in the order of its start. */
export interface Shutdown {
  /** Aborts when the stop begins, to interrupt starts. */
  readonly signal: AbortSignal;
  add(release: () => Promise<unknown> | void): void;
  /** Registers a running start: the stop waits for it, then releases what it added. */
  track(work: Promise<unknown>): Promise<unknown>;
  /** Releases everything in reverse order, also what is added meanwhile. Never rejects. */
  run(): Promise<void>;
}

export function createShutdown(report: (error: unknown) => void): Shutdown {
  const controller = new AbortController();
  const releases: (() => Promise<unknown> | void)[] = [];
  const tracked: Promise<unknown>[] = [];
  let running: Promise<void> | undefined;
  const releaseAll = async () => {
    for (let release = releases.pop(); release !== undefined; release = releases.pop()) {
      try {
        await release();
      } catch (error) {
        report(error);
      }
    }
  };
  return {
    signal: controller.signal,
    add: (release) => void releases.push(release),
    track(work) {
      tracked.push(work);
      return work;
    },
    run() {
      controller.abort(new Error("The stack is being stopped"));
      running ??= releaseAll()
        .then(() => Promise.allSettled(tracked))
        .then(releaseAll);
      return running;
    },
  };
}
