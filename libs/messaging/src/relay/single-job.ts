/** One job that never runs twice at the same time. */
export interface Lane {
  /** Runs the job, or once more after the present run; any number of calls in between make one. */
  run(): void;
  /** True while the job runs. */
  busy(): boolean;
  /** Resolves when the job rests. */
  idle(): Promise<void>;
}

/** @param job says whether there is more to do at once; it must not throw */
export function createLane(job: () => Promise<boolean>): Lane {
  let again = false;
  let running: Promise<void> | undefined;

  async function loop(): Promise<void> {
    do {
      again = false;
      if (await job()) again = true;
    } while (again);
    running = undefined;
  }

  return {
    run() {
      again = true;
      running ??= loop();
    },
    busy: () => running !== undefined,
    async idle() {
      await running;
    },
  };
}
