import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@gatehouse/observability";
import { type LaunchedWorker, launchWorker, type WorkerEnd } from "./launched-worker.ts";
import type { StopSignal } from "./stop-signal.ts";

interface SupervisorOptions {
  readonly count: number;
  readonly stopSignal: Promise<StopSignal>;
  /** How long after the signal everything has ended, whatever hangs. */
  readonly stopSeconds: number;
  readonly logger: Logger;
}

// After the limit that a worker sets itself, and before the promised one.
const STOP_SHARE = 0.99;
// A worker that lived for so long has not failed of what made the one before it fail.
const STEADY_MILLISECONDS = 30_000;
const FIRST_BACK_OFF_MILLISECONDS = 250;
const LONGEST_BACK_OFF_MILLISECONDS = 30_000;

/**
 * Keeps `count` workers until a signal ends them, and then says with what the process shall exit: 0 when all ended in order. The first
 * starts alone: when it fails, so does the whole, with the message that the worker wrote; nothing is tried again that cannot
 * succeed, and nothing is said more than once. A later worker that ends by itself is replaced. One that is worn out is so once its
 * successor is ready, one worker at a time.
 */
export async function superviseWorkers({ count, stopSignal, stopSeconds, logger }: SupervisorOptions): Promise<number> {
  const crew = createCrew();
  void stopSignal.then((signal) => crew.stop(signal));
  process.on("exit", () => crew.killIfStopping());

  const first = crew.launch();
  if (!(await first.ready) && !crew.stopping.aborted) {
    const { code, signal } = await first.ended;
    // One that ended by itself has said why.
    if (code === null) logger.error({ signal }, "the first worker was killed before it was ready, or could not be run");
    return 1;
  }
  const places = createPlaces(crew, logger);
  for (let place = 0; place < count; place += 1) void places.keep(place === 0 ? first : undefined);

  await stopSignal;
  const limit = setTimeout(
    () => {
      logger.error("workers did not end in time; they are killed");
      crew.killIfStopping();
    },
    stopSeconds * STOP_SHARE * 1000,
  );
  const isOrderly = await crew.allEnded();
  clearTimeout(limit);
  return isOrderly ? 0 : 1;
}

type Crew = ReturnType<typeof createCrew>;

/** Every worker that lives, in whatever state. */
function createCrew() {
  const living = new Set<LaunchedWorker>();
  const stopping = new AbortController();
  let passedOn: StopSignal | undefined;
  let isOrderly = true;
  return {
    stopping: stopping.signal,
    launch(): LaunchedWorker {
      const worker = launchWorker();
      living.add(worker);
      void worker.ended.then(({ code, signal }) => {
        living.delete(worker);
        // A worker that was still loading its code has nothing to finish, and dies of the signal itself.
        if (stopping.signal.aborted && code !== 0 && (signal === null || signal !== passedOn)) isOrderly = false;
      });
      return worker;
    },
    stop(signal: StopSignal): void {
      passedOn = signal;
      stopping.abort();
      for (const worker of living) worker.kill(signal);
    },
    killIfStopping(): void {
      if (stopping.signal.aborted) for (const worker of living) worker.kill("SIGKILL");
    },
    /** Whether all ended by themselves, with nothing left undone. */
    async allEnded(): Promise<boolean> {
      await Promise.all([...living].map(({ ended }) => ended));
      return isOrderly;
    },
  };
}

/** The places of the workers: each has one at any time, and two for a moment while one takes over. */
function createPlaces(crew: Crew, logger: Logger) {
  let turn: Promise<unknown> = Promise.resolve();

  async function keep(first: LaunchedWorker | undefined): Promise<void> {
    let failures = 0;
    let worker = first ?? (await startReady(failures));
    while (worker) {
      const end = await Promise.race([worker.ended, worker.wornOut]);
      if (crew.stopping.aborted) return;
      if (end) {
        reportEnd(worker, end, "a worker has ended; another takes its place");
        failures = end.milliseconds < STEADY_MILLISECONDS ? failures + 1 : 0;
        worker = await startReady(failures);
      } else worker = await succeed(worker);
    }
  }

  /** Another worker that accepts connections, after as many attempts as it takes; undefined when everything ends meanwhile. */
  async function startReady(failures: number): Promise<LaunchedWorker | undefined> {
    for (let failed = failures; ; failed += 1) {
      if (failed > 0) await delay(backOff(failed), undefined, { signal: crew.stopping }).catch(() => undefined);
      if (crew.stopping.aborted) return undefined;
      const worker = crew.launch();
      if (await worker.ready) return worker;
      if (crew.stopping.aborted) return undefined;
      reportEnd(worker, await worker.ended, "a worker ended before it was ready; another try follows");
    }
  }

  /** Takes its turn among the workers that are worn out; the next one's comes when this worker has ended. */
  async function succeed(worker: LaunchedWorker): Promise<LaunchedWorker | undefined> {
    let isReplaced = false;
    void worker.ended.then((end) => {
      if (crew.stopping.aborted || (isReplaced && end.code === 0)) return;
      reportEnd(worker, end, "a worker that makes room for another has not ended in order");
    });
    const before = turn;
    // Without their values, or each would hold those of all before it.
    turn = Promise.all([before, worker.ended]).then(() => undefined);
    // A worker that dies while it waits is missing, and does not wait.
    await Promise.race([before, worker.ended]);
    const successor = await startReady(0);
    if (successor === undefined) return undefined;
    logger.info({ worker: worker.pid, successor: successor.pid }, "a worker has served its requests and is replaced");
    isReplaced = true;
    worker.retire();
    return successor;
  }

  function reportEnd({ pid }: LaunchedWorker, { code, signal }: WorkerEnd, message: string): void {
    // One that was told to end, by somebody else than this process, has not failed.
    logger[code === 0 ? "warn" : "error"]({ worker: pid, code, signal }, message);
  }

  return { keep };
}

function backOff(failures: number): number {
  return Math.min(FIRST_BACK_OFF_MILLISECONDS * 2 ** (failures - 1), LONGEST_BACK_OFF_MILLISECONDS);
}
