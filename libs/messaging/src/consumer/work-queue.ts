import type { Backoff } from "../backoff.ts";
import type { Delivered } from "../jetstream/delivered.ts";
import { ACK_WAIT_MS } from "./ensure-durable.ts";

export interface WorkQueue {
  /** @param release called when the message is finished */
  add(message: Delivered, release: () => void): void;
  /** Returns waiting messages to the server. */
  release(): void;
  running(): number;
  /** Returns waiting messages to the server and resolves when no handler runs. */
  close(): Promise<void>;
}

interface Item {
  readonly message: Delivered;
  readonly release: () => void;
}

export interface WorkQueueDeps {
  readonly concurrency: number;
  /** Must not throw. */
  readonly run: (message: Delivered) => Promise<void>;
  readonly backoff: Backoff;
}

/** Runs at most `concurrency` messages at a time, none during a pause, and extends their acknowledgement wait meanwhile. */
export function createWorkQueue({ concurrency, run, backoff }: WorkQueueDeps): WorkQueue {
  const waiting: Item[] = [];
  const running = new Map<Delivered, Promise<void>>();
  let pausing: NodeJS.Timeout | undefined;
  let extending: NodeJS.Timeout | undefined;

  function start(): void {
    const pauseMs = backoff.remaining(performance.now());
    if (pauseMs > 0) {
      pausing ??= setTimeout(() => {
        pausing = undefined;
        start();
      }, pauseMs);
      return;
    }
    while (running.size < concurrency) {
      const item = waiting.shift();
      if (item === undefined) return;
      running.set(item.message, work(item));
    }
  }

  async function work({ message, release }: Item): Promise<void> {
    await run(message);
    running.delete(message);
    release();
    if (running.size + waiting.length === 0) {
      clearInterval(extending);
      extending = undefined;
    }
    start();
  }

  function extendWaits(): void {
    for (const message of running.keys()) message.working();
    for (const { message } of waiting) message.working();
  }

  function releaseWaiting(): void {
    for (const { message, release } of waiting.splice(0)) {
      message.nak(0);
      release();
    }
  }

  return {
    add(message, release) {
      waiting.push({ message, release });
      extending ??= setInterval(extendWaits, ACK_WAIT_MS / 3).unref();
      start();
    },
    release: releaseWaiting,
    running: () => running.size,
    async close() {
      releaseWaiting();
      await Promise.all(running.values());
      clearTimeout(pausing);
      clearInterval(extending);
    },
  };
}
