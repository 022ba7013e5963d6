import type { Delivered } from "../jetstream/delivered.ts";
import type { Breather } from "./breather.ts";
import { ACK_WAIT_MS } from "./ensure-durable.ts";

export interface WorkQueue {
  /** @param release called when the message has been dealt with */
  add(message: Delivered, release: () => void): void;
  /** Hands the messages that wait back to the server. */
  giveBack(): void;
  running(): number;
  /** Gives back what waits and resolves when nothing runs any more. */
  close(): Promise<void>;
}

interface Item {
  readonly message: Delivered;
  readonly release: () => void;
}

/** Runs at most `concurrency` messages at a time, none during a pause, and keeps the server patient meanwhile. */
export function createWorkQueue(options: {
  concurrency: number;
  /** Must not throw. */
  run: (message: Delivered) => Promise<void>;
  breather: Breather;
}): WorkQueue {
  const waiting: Item[] = [];
  const running = new Map<Delivered, Promise<void>>();
  let pausing: NodeJS.Timeout | undefined;
  let patience: NodeJS.Timeout | undefined;

  function start(): void {
    const rest = options.breather.remaining(performance.now());
    if (rest > 0) {
      pausing ??= setTimeout(() => {
        pausing = undefined;
        start();
      }, rest);
      return;
    }
    while (running.size < options.concurrency) {
      const item = waiting.shift();
      if (item === undefined) return;
      running.set(item.message, work(item));
    }
  }

  async function work({ message, release }: Item): Promise<void> {
    await options.run(message);
    running.delete(message);
    release();
    if (running.size + waiting.length === 0) {
      clearInterval(patience);
      patience = undefined;
    }
    start();
  }

  function keepServerPatient(): void {
    for (const message of running.keys()) message.working();
    for (const { message } of waiting) message.working();
  }

  function giveBack(): void {
    for (const { message, release } of waiting.splice(0)) {
      message.nak(0);
      release();
    }
  }

  return {
    add(message, release) {
      waiting.push({ message, release });
      patience ??= setInterval(keepServerPatient, ACK_WAIT_MS / 3).unref();
      start();
    },
    giveBack,
    running: () => running.size,
    async close() {
      giveBack();
      await Promise.all(running.values());
      clearTimeout(pausing);
      clearInterval(patience);
    },
  };
}
