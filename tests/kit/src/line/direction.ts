import type { Socket } from "node:net";

/** The conditions of a whole line; they change while data flow. */
export interface LineConditions {
  /** Added in each direction. */
  delayMs: number;
  /** In each direction of each connection. */
  bytesPerSecond: number;
  /** Drops all data. */
  silent: boolean;
}

/** One direction of one connection. */
export interface Direction {
  /** Drops all data from now on. */
  forget(): void;
  /** Stops reading, so that data wait at the sender until `release`. */
  hold(): void;
  release(): void;
  /** Calls `then` when all data that were read are delivered. */
  finish(then: () => void): void;
}

/** The sender waits when more than this is undelivered. */
const MAX_PENDING_BYTES = 64 * 1024;

/** Delivers what `from` receives to `to`, in order. @param alter changes each piece */
export function carry(
  from: Socket,
  to: Socket,
  conditions: LineConditions,
  alter: (piece: Buffer) => Buffer = (piece) => piece,
): Direction {
  const pending: (() => void)[] = [];
  let bytes = 0;
  let free = 0;
  let arrival = 0;
  let isHeld = false;
  let isForgotten = false;

  from.on("data", (piece: Buffer) => {
    if (conditions.silent || isForgotten) return;
    const altered = alter(piece);
    bytes += altered.length;
    after(altered.length, () => {
      bytes -= altered.length;
      if (!to.destroyed) to.write(altered);
      flow();
    });
    flow();
  });

  /** Runs `step` when a piece of this size would arrive, never before an earlier one. */
  function after(size: number, step: () => void): void {
    const now = performance.now();
    free = Math.max(free, now) + (size / conditions.bytesPerSecond) * 1_000;
    arrival = Math.max(arrival, free + conditions.delayMs);
    if (pending.length === 0 && arrival <= now) return step();
    pending.push(step);
    // Timers of the same millisecond have no order, so each runs the oldest step.
    setTimeout(() => pending.shift()?.(), arrival - now);
  }

  function flow(): void {
    if (isHeld || bytes > MAX_PENDING_BYTES) from.pause();
    else from.resume();
  }

  return {
    forget: () => void (isForgotten = true),
    hold() {
      isHeld = true;
      flow();
    },
    release() {
      isHeld = false;
      flow();
    },
    finish(then) {
      if (!conditions.silent && !isForgotten) after(0, then);
    },
  };
}
