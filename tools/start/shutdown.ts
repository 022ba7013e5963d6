/** Everything that has to be ended, in the order in which it was begun. */
export interface Shutdown {
  /** Aborted as soon as the end has begun, for whoever is still starting something. */
  readonly signal: AbortSignal;
  add(release: () => Promise<unknown> | void): void;
  /** Something that is being started: the end waits for it, and then ends what it has added. */
  track(work: Promise<unknown>): Promise<unknown>;
  /** Ends everything in reverse order. What is added meanwhile is ended as well. Never rejects. */
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
