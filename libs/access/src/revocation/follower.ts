import { REVOKING_SUBJECTS, STREAMS } from "@gatehouse/contracts";
import { type Bus, readStream, type StreamMessage } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import { createLagMeter } from "./lag-meter.ts";
import { applyRevocation, readWatermark } from "./revocation-event.ts";
import { createRevocationRecorder } from "./revocation-recorder.ts";
import type { RevocationView } from "./revocation-view.ts";

export interface FollowerOptions {
  readonly bus: Bus;
  readonly view: RevocationView;
  /** How far back a pass begins: an access token's lifetime and the clock skew. */
  readonly lifetimeSeconds: number;
  readonly maxStalenessSeconds: number;
  readonly logger: Logger;
}

export interface Follower {
  /** True while a live watermark arrived within the allowed staleness: the view vouches. */
  isCurrent(): boolean;
  /** True while the bus is there and the view has read all that auth put on it. */
  hasCaughtUp(): boolean;
  /** Seconds since auth last vouched for the view by a live watermark; Infinity before the first. */
  stalenessSeconds(): number;
  close(): Promise<void>;
}

/** One reading of the stream from the beginning of the window. */
interface Pass {
  /** What is greater came after the pass began. */
  readonly lastSequence: number;
  hasReadAll: boolean;
  /** A watermark was read, be it an old one: without any, this stream cannot tell what auth has done (it was wiped, say). */
  hasWatermark: boolean;
}

const WATERMARK: string = "auth.watermark";

/**
 * Keeps the view filled from auth's stream. Each pass begins one lifetime back and entries are idempotent, so a pass that
 * ended for whatever reason is simply followed by another; entries outlive passes and streams.
 *
 * Old watermarks come again in every pass. They say nothing about now: only one that was stored after the pass began is live.
 * One that was long under way vouches for as much less, and it may be late in two places: from the database, whose time it
 * says, to the stream (what an old connection still had in its buffers, say), and from the stream to here. Of three clocks no two
 * need to agree; old watermarks do say how quick the quickest was on the first part of the way.
 */
export function followRevocations(options: FollowerOptions): Follower {
  const { view, logger, lifetimeSeconds, maxStalenessSeconds } = options;
  const revoking: ReadonlySet<string> = REVOKING_SUBJECTS;
  const publication = createLagMeter();
  const delivery = createLagMeter();
  const record = createRevocationRecorder();
  let pass: Pass | undefined;
  let stream: string | undefined;
  /** The last that is no news: the end of the stream as the first pass found it, later the last revocation that any has read. */
  let known = 0;
  let vouchedAt = Number.NEGATIVE_INFINITY;

  function begin(start: { streamCreated: string; lastSequence: number; pending: number }): void {
    // A server that lost its end gives its numbers again.
    known = Math.min(known, start.lastSequence);
    if (stream !== start.streamCreated) {
      publication.reset();
      delivery.reset();
      known = start.lastSequence;
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

  /** What a pass reads again is recorded once. */
  function receiveRevocation(message: StreamMessage): void {
    const startedAt = performance.now();
    const event = applyRevocation(view, message.data);
    if (message.sequence <= known) return;
    known = message.sequence;
    record(message, event, startedAt);
  }

  function receiveWatermark(current: Pass, { data, sequence, storedAt }: StreamMessage): void {
    const publishing = publication.measure(readWatermark(data), storedAt.getTime());
    current.hasWatermark = true;
    if (sequence <= current.lastSequence) return;
    const now = performance.now();
    vouchedAt = Math.max(vouchedAt, now - publishing - delivery.measure(storedAt.getTime(), now));
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

  const stalenessSeconds = () => (performance.now() - vouchedAt) / 1_000;
  return {
    stalenessSeconds,
    isCurrent: () => stalenessSeconds() <= maxStalenessSeconds,
    hasCaughtUp: () => pass !== undefined && pass.hasReadAll && pass.hasWatermark && options.bus.isConnected(),
    close: () => reader.close(),
  };
}
