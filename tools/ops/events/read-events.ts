import { type StreamDefinition, STREAMS } from "@gatehouse/contracts";
import {
  connectBus,
  isStreamNotFound,
  matchesSubject,
  readEnvelope,
  readLetter,
  readStored,
  readStream,
  type StreamMessage,
} from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import type { FoundBus } from "../find-bus.ts";
import { aborted } from "../terminal/aborted.ts";
import { createTimeMerge } from "./merge-by-time.ts";
import type { SeenEvent } from "./show-event.ts";

export interface EventFilter {
  readonly streams: readonly StreamDefinition[];
  /** The type, wildcards allowed. Watermarks, one a second, come only when this is their type. */
  readonly type?: string | undefined;
  readonly user?: string | undefined;
  readonly correlation?: string | undefined;
  /** Stored at this moment or later; everything unless given. */
  readonly since?: Date | undefined;
}

/** Calls `onEvent` with what the streams hold at this moment, in the order of time. A stream that is not there holds nothing. */
export async function readStoredEvents(
  { connection }: FoundBus,
  filter: EventFilter,
  onEvent: (event: SeenEvent) => void,
): Promise<void> {
  const lanes = lanesOf(filter);
  const merge = createTimeMerge(names(lanes), onEvent);
  await Promise.all(
    lanes.map(async ({ stream, subject }) => {
      const push = pushTo(merge.push, stream, filter);
      try {
        await readStored(connection, stream, { filter: subject, since: filter.since }, push);
      } catch (error) {
        if (!isStreamNotFound(error)) throw error;
      }
      merge.caughtUp(stream.name);
    }),
  );
}

/** Calls `onEvent` with what the streams hold from `since` on, and then with what comes, until `signal` aborts; outages are waited for. */
export async function followEvents(
  { name, url }: FoundBus,
  filter: EventFilter & { readonly since: Date },
  signal: AbortSignal,
  logger: Logger,
  onEvent: (event: SeenEvent) => void,
): Promise<void> {
  const lanes = lanesOf(filter);
  const merge = createTimeMerge(names(lanes), onEvent);
  const bus = connectBus({ url, name, logger });
  const readers = lanes.map(({ stream, subject }) => {
    const push = pushTo(merge.push, stream, filter);
    // A pass that starts over begins where the last one ended.
    let last = { stream: "", sequence: 0, at: filter.since };
    return readStream({
      bus,
      stream,
      ...(subject !== undefined && { filter: subject }),
      since: () => last.at,
      onStart({ streamCreated, pending }) {
        if (last.stream !== streamCreated) last = { ...last, stream: streamCreated, sequence: 0 };
        if (pending === 0) merge.caughtUp(stream.name);
      },
      onMessage(message) {
        if (message.sequence > last.sequence) push(message);
        last = { ...last, sequence: Math.max(last.sequence, message.sequence), at: message.storedAt };
        if (message.pending === 0) merge.caughtUp(stream.name);
      },
      logger,
    });
  });
  await aborted(signal);
  await Promise.all(readers.map((reader) => reader.close()));
  await bus.close();
}

interface Lane {
  readonly stream: StreamDefinition;
  /** What to ask the server for. */
  readonly subject: string | undefined;
}

const names = (lanes: readonly Lane[]): string[] => lanes.map(({ stream }) => stream.name);

function lanesOf({ streams, type }: EventFilter): Lane[] {
  return streams.flatMap((stream): Lane[] => {
    if (type === undefined) return [{ stream, subject: undefined }];
    if (stream === STREAMS.deadLetters) return [{ stream, subject: `dead.*.${type}` }];
    const subject = subjectWithin(stream, type);
    return subject === undefined ? [] : [{ stream, subject }];
  });
}

/** The pattern as far as it lies in the stream, since the server takes no other; undefined when it does not. */
function subjectWithin({ subjects }: StreamDefinition, pattern: string): string | undefined {
  const [space = ">"] = subjects;
  const [root = ""] = space.split(".");
  const [first, ...rest] = pattern.split(".");
  if (first === ">") return space;
  if (first !== "*" && first !== root) return undefined;
  return rest.length === 0 ? undefined : [root, ...rest].join(".");
}

const WATERMARK = "auth.watermark";

function pushTo(
  push: (lane: string, at: Date, event: SeenEvent) => void,
  stream: StreamDefinition,
  filter: EventFilter,
) {
  return (message: StreamMessage): void => {
    const event = see(stream, message);
    if (isMeant(filter, event)) push(stream.name, message.storedAt, event);
  };
}

function see(stream: StreamDefinition, message: StreamMessage): SeenEvent {
  const letter = stream === STREAMS.deadLetters ? readLetter(message) : undefined;
  return {
    stream: stream.name,
    sequence: message.sequence,
    storedAt: message.storedAt,
    type: letter?.subject ?? message.subject,
    envelope: letter === undefined ? readEnvelope(message.data) : letter.envelope,
    payload: message.data,
    letter,
  };
}

function isMeant({ correlation, type, user }: EventFilter, event: SeenEvent): boolean {
  const { envelope } = event;
  return (
    (type === undefined ? event.type !== WATERMARK : matchesSubject(type, event.type)) &&
    (type === WATERMARK || event.type !== WATERMARK) &&
    (user === undefined || envelope?.subject === user) &&
    (correlation === undefined || envelope?.correlationid === correlation)
  );
}
