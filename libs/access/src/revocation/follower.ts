import { REVOKING_SUBJECTS, STREAMS } from "@gatehouse/contracts";
import { type Bus, readStream, type StreamMessage } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import { createLagMeter } from "./lag-meter.ts";
import { applyRevocation, readWatermark } from "./revocation-event.ts";
import { createRevocationRecorder } from "./revocation-recorder.ts";
import type { RevocationView } from "./revocation-view.ts";

export interface FollowerDeps {
  readonly bus: Bus;
  readonly view: RevocationView;
  /** How far back a pass starts: an access token's lifetime plus the clock skew. */
  readonly lifetimeSeconds: number;
  readonly maxStalenessSeconds: number;
  readonly logger: Logger;
}

export interface Follower {
  /** True while the last live watermark is within the allowed staleness. */
  isCurrent(): boolean;
  /** True while the bus is connected and the view has read everything that auth published. */
  hasCaughtUp(): boolean;
  /** Seconds since the last live watermark; Infinity before the first. */
  stalenessSeconds(): number;
  close(): Promise<void>;
}

/** One read of the stream from the start of the window. */
interface Pass {
  /** Messages with a greater sequence arrived after the pass started. */
  readonly lastSequence: number;
  hasReadAll: boolean;
  /** A watermark was read, even an old one. A stream without any (wiped, for example) cannot prove what auth has done. */
  hasWatermark: boolean;
}

const WATERMARK: string = "auth.watermark";

/**
 * Fills the view from auth's stream. Each pass starts one token lifetime back and entries are idempotent, so a pass that
 * ends for any reason is followed by another.
 *
 * Every pass reads old watermarks again; only one stored after the pass started is live. A watermark that arrives late
 * makes the view current for correspondingly less time. It can be late between the database, whose time it carries, and
 * the stream, and between the stream and here. No two of the three clocks need to agree: the fastest message is the baseline.
 */
export function followRevocations(options: FollowerDeps): Follower {
  const { view, logger, lifetimeSeconds, maxStalenessSeconds } = options;
  const revoking: ReadonlySet<string> = REVOKING_SUBJECTS;
  const publication = createLagMeter();
  const delivery = createLagMeter();
  const record = createRevocationRecorder();
  let pass: Pass | undefined;
  let stream: string | undefined;
  /** Messages up to this sequence were recorded: first the end of the stream, later the last revocation read. */
  let recorded = 0;
  let currentAsOf = Number.NEGATIVE_INFINITY;

  function begin(start: { streamCreated: string; lastSequence: number; pending: number }): void {
    // A server that lost the end of its stream assigns those sequences again.
    recorded = Math.min(recorded, start.lastSequence);
    if (stream !== start.streamCreated) {
      publication.reset();
      delivery.reset();
      recorded = start.lastSequence;
    }
    stream = start.streamCreated;
    pass = { lastSequence: start.lastSequence, hasReadAll: start.pending === 0, hasWatermark: false };
  }

  function receive(message: StreamMessage): void {
    if (!pass) return;
    if (message.pending === 0 || message.sequence >= pass.lastSequence) pass.hasReadAll = true;
    if (message.subject === WATERMARK) receiveWatermark(pass, message);
    else if (revoking.has(message.subject)) receiveRevocation(message);
  }

  function receiveRevocation(message: StreamMessage): void {
    const startedAt = performance.now();
    const event = applyRevocation(view, message.data);
    if (message.sequence <= recorded) return;
    recorded = message.sequence;
    record(message, event, startedAt);
  }

  function receiveWatermark(current: Pass, { data, sequence, storedAt }: StreamMessage): void {
    const publishing = publication.measure(readWatermark(data), storedAt.getTime());
    current.hasWatermark = true;
    if (sequence <= current.lastSequence) return;
    const now = performance.now();
    currentAsOf = Math.max(currentAsOf, now - publishing - delivery.measure(storedAt.getTime(), now));
  }

  const reader = readStream({
    bus: options.bus,
    stream: STREAMS.auth,
    since: () => new Date(Date.now() - lifetimeSeconds * 1_000),
    onStart: begin,
    onEnd: () => (pass = undefined),
    onMessage: receive,
    logger,
  });

  const stalenessSeconds = () => (performance.now() - currentAsOf) / 1_000;
  return {
    stalenessSeconds,
    isCurrent: () => stalenessSeconds() <= maxStalenessSeconds,
    hasCaughtUp: () => pass !== undefined && pass.hasReadAll && pass.hasWatermark && options.bus.isConnected(),
    close: () => reader.close(),
  };
}
