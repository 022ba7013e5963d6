import type { StreamDefinition } from "@gatehouse/contracts";
import type { Logger } from "@gatehouse/observability";
import type { Bus } from "./bus.ts";

/** One stored message as read, not yet parsed. */
export interface StreamMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly sequence: number;
  /** When the server stored it, by the server's clock. */
  readonly storedAt: Date;
  /** How many more there are behind it; 0 says that this pass has caught up. */
  readonly pending: number;
}

export interface StreamReaderOptions {
  readonly bus: Bus;
  readonly stream: StreamDefinition;
  /** One subject, wildcards allowed; the whole stream unless given. */
  readonly filter?: string;
  /** Where a pass begins. Asked anew for each pass. */
  readonly since: () => Date;
  /** Called in the stream's order, synchronously; an error it throws is logged and the message counts as read. */
  readonly onMessage: (message: StreamMessage) => void;
  /**
   * A pass begins: `lastSequence` was the stream's last when its consumer was made, so what is greater is live;
   * `streamCreated` differs from the pass before when the stream is another.
   */
  readonly onStart?: (pass: { readonly streamCreated: string; readonly lastSequence: number }) => void;
  /** A pass ended: a gap, a lost connection, a stall, a deleted stream or consumer. Another begins as soon as one can. */
  readonly onEnd?: (reason: string) => void;
  readonly logger: Logger;
}

export interface StreamReader {
  close(): Promise<void>;
}

/**
 * Reads a stream from a moment on without acknowledging anything. Every oddity ends the pass, and the next one starts over at `since()`:
 * so each message comes at least once, in order within a pass, and whoever reads must not mind seeing it again.
 */
export function readStream(_options: StreamReaderOptions): StreamReader {
  throw new Error("not written yet");
}
