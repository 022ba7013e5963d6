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
import type { FoundBus } from "../connect.ts";
import { aborted } from "../terminal.ts";
import { createTimeMerge } from "./merge-by-time.ts";
import type { SeenEvent } from "./show.ts";

export interface EventFilter {
  readonly streams: readonly StreamDefinition[];
  /** A type, with wildcards. Watermarks (one a second) match their own type only. */
  readonly type?: string | undefined;
  readonly user?: string | undefined;
  readonly correlation?: string | undefined;
  /** Stored at this time or later. Default: all. */
  readonly since?: Date | undefined;
}

/** Calls `onEvent` with the stored events in the order of time. A missing stream counts as empty. */
export async function readStoredEvents(
  { connection }: FoundBus,
  filter: EventFilter,
  onEvent: (event: SeenEvent) => void,
): Promise<void> {
  const sources = sourcesOf(filter);
  const merge = createTimeMerge(names(sources), onEvent);
  await Promise.all(
    sources.map(async ({ stream, subject }) => {
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

/** Calls `onEvent` with the events since `since` and every new one, until `signal` aborts. Waits through outages. */
export async function followEvents(
  { name, url }: FoundBus,
  filter: EventFilter & { readonly since: Date },
  signal: AbortSignal,
  logger: Logger,
  onEvent: (event: SeenEvent) => void,
): Promise<void> {
  const sources = sourcesOf(filter);
  const merge = createTimeMerge(names(sources), onEvent);
  const bus = connectBus({ url, name, logger });
  const readers = sources.map(({ stream, subject }) => {
    const push = pushTo(merge.push, stream, filter);
    // A new pass starts where the last one ended.
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

interface Source {
  readonly stream: StreamDefinition;
  /** The filter for the server. */
  readonly subject: string | undefined;
}

const names = (sources: readonly Source[]): string[] => sources.map(({ stream }) => stream.name);

function sourcesOf({ streams, type }: EventFilter): Source[] {
  return streams.flatMap((stream): Source[] => {
    if (type === undefined) return [{ stream, subject: undefined }];
    if (stream === STREAMS.deadLetters) return [{ stream, subject: `dead.*.${type}` }];
    const subject = subjectWithin(stream, type);
    return subject === undefined ? [] : [{ stream, subject }];
  });
}

/** Returns the part of the pattern that lies in the stream, because the server rejects others; undefined when none does. */
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
  push: (name: string, at: Date, event: SeenEvent) => void,
  stream: StreamDefinition,
  filter: EventFilter,
) {
  return (message: StreamMessage): void => {
    const event = see(stream, message);
    if (matches(filter, event)) push(stream.name, message.storedAt, event);
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

function matches({ correlation, type, user }: EventFilter, event: SeenEvent): boolean {
  const { envelope } = event;
  return (
    (type === undefined ? event.type !== WATERMARK : matchesSubject(type, event.type)) &&
    (type === WATERMARK || event.type !== WATERMARK) &&
    (user === undefined || envelope?.subject === user) &&
    (correlation === undefined || envelope?.correlationid === correlation)
  );
}
