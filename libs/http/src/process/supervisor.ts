import cluster, { type Worker } from "node:cluster";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@gatehouse/observability";
import type { StopSignal } from "./stop-signal.ts";
import { READY } from "./worker-link.ts";

interface SupervisorDeps {
  readonly count: number;
  readonly stopSignal: Promise<StopSignal>;
  /** Every worker has ended this long after the signal; the supervisor kills the ones that hang. */
  readonly stopSeconds: number;
  readonly logger: Logger;
}

interface WorkerEnd {
  /** Null when a signal ended the worker. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lifetimeMs: number;
}

/** One worker, as its supervisor sees it. */
interface LaunchedWorker {
  readonly pid: number | undefined;
  /** True as soon as the worker accepts connections, false when it ended before. */
  readonly ready: Promise<boolean>;
  /** Never rejects. */
  readonly ended: Promise<WorkerEnd>;
  kill(signal: NodeJS.Signals): void;
}

// After the limit that a worker sets itself, and before the promised one.
const STOP_SHARE = 0.99;
// A worker that lived this long did not fail for the reason that its predecessor failed.
const STEADY_MS = 30_000;
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 30_000;

/**
 * Keeps `count` workers running until a stop signal, and returns the exit code: 0 when all workers ended in order. The first worker
 * starts alone. When it fails, the supervisor ends with 1 and does not retry: the worker has logged the reason. A later worker that
 * ends is replaced.
 */
export async function superviseWorkers({ count, stopSignal, stopSeconds, logger }: SupervisorDeps): Promise<number> {
  const workers = createWorkers();
  void stopSignal.then((signal) => workers.stop(signal));
  process.on("exit", () => workers.killIfStopping());

  const first = workers.launch();
  if (!(await first.ready) && !workers.stopping.aborted) {
    const { code, signal } = await first.ended;
    // A worker that ended by itself has logged why.
    if (code === null) logger.error({ signal }, "the first worker was killed before it was ready, or could not be run");
    return 1;
  }
  for (let slot = 0; slot < count; slot += 1)
    void keepOneRunning({ workers, first: slot === 0 ? first : undefined, logger });

  await stopSignal;
  const limit = setTimeout(
    () => {
      logger.error("workers did not end in time; killing them");
      workers.killIfStopping();
    },
    stopSeconds * STOP_SHARE * 1000,
  );
  const isOrderly = await workers.allEnded();
  clearTimeout(limit);
  return isOrderly ? 0 : 1;
}

type Workers = ReturnType<typeof createWorkers>;

/** All workers that run, in any state. */
function createWorkers() {
  const running = new Set<LaunchedWorker>();
  const stopping = new AbortController();
  let passedOn: StopSignal | undefined;
  let isOrderly = true;
  return {
    stopping: stopping.signal,
    launch(): LaunchedWorker {
      const worker = launchWorker();
      running.add(worker);
      void worker.ended.then(({ code, signal }) => {
        running.delete(worker);
        // A worker that was still loading its code has nothing to finish; the signal itself ends it.
        if (stopping.signal.aborted && code !== 0 && (signal === null || signal !== passedOn)) isOrderly = false;
      });
      return worker;
    },
    stop(signal: StopSignal): void {
      passedOn = signal;
      stopping.abort();
      for (const worker of running) worker.kill(signal);
    },
    killIfStopping(): void {
      if (stopping.signal.aborted) for (const worker of running) worker.kill("SIGKILL");
    },
    /** Returns whether all workers ended by themselves, with nothing left undone. */
    async allEnded(): Promise<boolean> {
      await Promise.all([...running].map(({ ended }) => ended));
      return isOrderly;
    },
  };
}

/** Forks this process's main file with the same environment. The workers share the port. */
function launchWorker(): LaunchedWorker {
  const begun = performance.now();
  const worker: Worker = cluster.fork();
  const ready = Promise.withResolvers<boolean>();
  const ended = Promise.withResolvers<WorkerEnd>();
  const end = (code: number | null, signal: NodeJS.Signals | null) => {
    ready.resolve(false);
    ended.resolve({ code, signal, lifetimeMs: performance.now() - begun });
  };
  worker.on("message", (message) => {
    if (message === READY) ready.resolve(true);
  });
  worker.once("exit", (code: number | null, signal: string | null) => end(code, signal as NodeJS.Signals | null));
  // A worker that was never started emits no exit.
  worker.on("error", () => {
    if (worker.process.pid === undefined) end(null, null);
  });
  return {
    pid: worker.process.pid,
    ready: ready.promise,
    ended: ended.promise,
    kill: (signal) => void worker.process.kill(signal),
  };
}

interface KeepDeps {
  readonly workers: Workers;
  /** The worker that runs already, if any. */
  readonly first: LaunchedWorker | undefined;
  readonly logger: Logger;
}

/** Replaces a worker that ends, with a backoff while replacements fail, until the supervisor stops. */
async function keepOneRunning({ workers, first, logger }: KeepDeps): Promise<void> {
  let worker = first;
  for (let failures = 0; ;) {
    if (!worker) {
      if (failures > 0)
        await delay(backoffMs(failures), undefined, { signal: workers.stopping }).catch(() => undefined);
      if (workers.stopping.aborted) return;
      worker = workers.launch();
    }
    const isReady = await worker.ready;
    const { code, signal, lifetimeMs } = await worker.ended;
    if (workers.stopping.aborted) return;
    const message = isReady ? "a worker ended; replacing it" : "a worker ended before it was ready; retrying";
    // Exit code 0: another process stopped the worker, which is no failure.
    logger[code === 0 ? "warn" : "error"]({ worker: worker.pid, code, signal }, message);
    failures = isReady && lifetimeMs >= STEADY_MS ? 0 : failures + 1;
    worker = undefined;
  }
}

function backoffMs(failures: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** (failures - 1), LONGEST_BACKOFF_MS);
}
