import { REVOKING_SUBJECTS, STREAMS } from "@gatehouse/contracts";
import { type Bus, readStream, type StreamMessage } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import { applyRevocation } from "./revocation-event.ts";
import type { RevocationView } from "./revocation-view.ts";

export interface FollowerOptions {
  readonly bus: Bus;
  readonly view: RevocationView;
  /** How far back a pass begins: an access token's lifetime and the clock skew. */
  readonly lifetimeSeconds: number;
  readonly maxStalenessSeconds: number;
  readonly logger: Logger;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

export interface Follower {
  /** True while a live watermark arrived within the allowed staleness: the view vouches. */
  isCurrent(): boolean;
  /** True while the bus is there and the view has read all that it holds. */
  hasCaughtUp(): boolean;
  /** Seconds since the last live watermark; Infinity before the first. */
  staleness(): number;
  close(): Promise<void>;
}

/** A pass over a stream that has nothing to read says nothing; after this long it counts as read. */
const SILENCE_MS = 1_000;
const WATERMARK: string = "auth.watermark";

/**
 * Keeps the view filled from auth's stream. Each pass begins one lifetime back and entries are idempotent, so a pass that
 * ended for whatever reason is simply followed by another; entries outlive passes and streams.
 *
 * Old watermarks come again in every pass. They are proof of nothing: only one that was stored after the pass began is live.
 */
export function followRevocations(options: FollowerOptions): Follower {
  const { view, logger, lifetimeSeconds, maxStalenessSeconds } = options;
  const now = options.now ?? (() => performance.now());
  const revoking: ReadonlySet<string> = REVOKING_SUBJECTS;
  let pass: { lastSequence: number; begunAt: number; readTo: number } | undefined;
  let watermarkAt = Number.NEGATIVE_INFINITY;

  function receive(message: StreamMessage): void {
    if (pass) pass.readTo = message.sequence;
    if (message.subject === WATERMARK) {
      if (pass && message.sequence > pass.lastSequence) watermarkAt = now();
    } else if (revoking.has(message.subject)) applyRevocation(view, message.data);
  }

  const reader = readStream({
    bus: options.bus,
    stream: STREAMS.auth,
    since: () => new Date(Date.now() - lifetimeSeconds * 1_000),
    onStart: ({ lastSequence }) => {
      pass = { lastSequence, begunAt: now(), readTo: 0 };
    },
    onEnd: () => {
      pass = undefined;
    },
    onMessage: receive,
    logger,
  });

  const staleness = () => (now() - watermarkAt) / 1_000;
  return {
    staleness,
    isCurrent: () => staleness() <= maxStalenessSeconds,
    hasCaughtUp() {
      if (!pass || !options.bus.isConnected()) return false;
      const nothingToRead = pass.readTo === 0 && now() - pass.begunAt > SILENCE_MS;
      return nothingToRead || pass.readTo >= pass.lastSequence;
    },
    close: () => reader.close(),
  };
}
