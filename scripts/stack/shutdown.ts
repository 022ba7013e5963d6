/** Everything that has to be ended, in the order in which it was begun. */
export interface Shutdown {
  /** Aborted as soon as the end has begun, for whoever is still starting something. */
  readonly signal: AbortSignal;
  add(release: () => Promise<unknown> | void): void;
  /** Ends everything in reverse order. What is added meanwhile is ended as well. Never rejects; may be called again. */
  run(): Promise<void>;
}

export function createShutdown(report: (error: unknown) => void): Shutdown {
  const controller = new AbortController();
  const releases: (() => Promise<unknown> | void)[] = [];
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
    run() {
      controller.abort(new Error("The stack is being stopped"));
      running = (running ?? Promise.resolve()).then(releaseAll);
      return running;
    },
  };
}
