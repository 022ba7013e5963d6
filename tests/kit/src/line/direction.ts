import type { Socket } from "node:net";

/** What happens to the data on a line; one object for the whole line, which changes while the data flow. */
export interface LineConditions {
  /** Added to the time under way, in each direction. */
  delayMs: number;
  /** In each direction of each connection; `Infinity` when only the machine limits it. */
  bytesPerSecond: number;
  /** The line drops all data without closing the connection. */
  silent: boolean;
}

/** One direction of one connection. */
export interface Direction {
  /** Drops all data from now on, without closing the connection. */
  forget(): void;
  /** Stops reading, so that data waits at its sender, until `release`. */
  hold(): void;
  release(): void;
  /** Calls `then` when all that was taken in has been passed on. */
  finish(then: () => void): void;
}

/** Beyond this much under way the sender has to wait, as it would for a network. */
const UNDER_WAY_MAX_BYTES = 64 * 1024;

/** Carries what `from` receives to `to`, in order. @param alter sees each piece before it goes on */
export function carry(
  from: Socket,
  to: Socket,
  conditions: LineConditions,
  alter: (piece: Buffer) => Buffer = (piece) => piece,
): Direction {
  const underWay: (() => void)[] = [];
  let bytes = 0;
  let free = 0;
  let arrival = 0;
  let held = false;
  let forgotten = false;

  from.on("data", (piece: Buffer) => {
    if (conditions.silent || forgotten) return;
    const altered = alter(piece);
    bytes += altered.length;
    after(altered.length, () => {
      bytes -= altered.length;
      if (!to.destroyed) to.write(altered);
      flow();
    });
    flow();
  });

  /** Runs `step` when a piece of this size, sent now, would arrive; never before an earlier one. */
  function after(size: number, step: () => void): void {
    const now = performance.now();
    free = Math.max(free, now) + (size / conditions.bytesPerSecond) * 1_000;
    arrival = Math.max(arrival, free + conditions.delayMs);
    if (underWay.length === 0 && arrival <= now) return step();
    underWay.push(step);
    // Timers of the same millisecond have no order, so each timer takes the oldest step.
    setTimeout(() => underWay.shift()?.(), arrival - now);
  }

  function flow(): void {
    if (held || bytes > UNDER_WAY_MAX_BYTES) from.pause();
    else from.resume();
  }

  return {
    forget() {
      forgotten = true;
    },
    hold() {
      held = true;
      flow();
    },
    release() {
      held = false;
      flow();
    },
    finish(then) {
      if (!conditions.silent && !forgotten) after(0, then);
    },
  };
}
