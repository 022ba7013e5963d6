import cluster from "node:cluster";
import { READY, RETIRE, WORN_OUT } from "./worker-messages.ts";

export interface WorkerEnd {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** How long it lived. */
  readonly milliseconds: number;
}

/** One worker, as its supervisor sees it. */
export interface LaunchedWorker {
  readonly pid: number | undefined;
  /** True as soon as it accepts connections, false when it ended before. */
  readonly ready: Promise<boolean>;
  /** Settles when it has served as many requests as it may. */
  readonly wornOut: Promise<void>;
  /** Never rejects. */
  readonly ended: Promise<WorkerEnd>;
  /** Its successor is there: it listens no more, finishes its requests, and ends. */
  retire(): void;
  kill(signal: NodeJS.Signals): void;
}

/** Another process of this one's main file and environment, which shares the port with the other workers. */
export function launchWorker(): LaunchedWorker {
  const begun = performance.now();
  const worker = cluster.fork();
  const ready = Promise.withResolvers<boolean>();
  const wornOut = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<WorkerEnd>();
  const end = (code: number | null, signal: NodeJS.Signals | null) => {
    ready.resolve(false);
    ended.resolve({ code, signal, milliseconds: performance.now() - begun });
  };
  worker.on("message", (message) => {
    if (message === READY) ready.resolve(true);
    if (message === WORN_OUT) wornOut.resolve();
  });
  worker.once("exit", (code: number | null, signal: string | null) => end(code, signal as NodeJS.Signals | null));
  // A message that does not reach a worker is of no interest, since its end follows; only one that never lived has no end.
  worker.on("error", () => {
    if (worker.process.pid === undefined) end(null, null);
  });
  return {
    pid: worker.process.pid,
    ready: ready.promise,
    wornOut: wornOut.promise,
    ended: ended.promise,
    retire: () => void (worker.isConnected() && worker.send(RETIRE)),
    kill: (signal) => void worker.process.kill(signal),
  };
}
