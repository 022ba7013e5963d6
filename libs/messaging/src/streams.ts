import { type StreamDefinition, STREAMS } from "@gatehouse/contracts";
import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  jetstreamManager,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { nanos, type NatsConnection } from "@nats-io/nats-core";
import type { Bus } from "./bus.ts";
import { isPermissionViolation } from "./bus-refusals.ts";

const API_TIMEOUT_MS = 2_000;
/** JetStream error "stream name already in use": with another configuration. */
const NAME_IN_USE = 10058;
/** JetStream error "subjects overlap with an existing stream"; also returned for a stream that another process is creating. */
const SUBJECTS_OVERLAP = 10065;

/**
 * Creates missing streams and updates those that differ from their definition. Safe to repeat and to run in several processes at
 * once. Supports nats-server 2.9 and later.
 * @throws when there is no connection or JetStream rejects the definition
 */
export async function ensureStreams(
  target: Bus | NatsConnection,
  definitions: readonly StreamDefinition[],
  replicas: number,
): Promise<void> {
  const connection = "connection" in target ? target.connection() : target;
  if (connection === undefined) throw new Error("NATS is not connected");
  const manager = await managerOf(connection);
  for (const definition of definitions) await ensureStream(manager, definition, replicas);
}

/** Creates or updates one stream, as ensureStreams does. Returns the stream as the server has it now. */
export async function ensureStream(
  manager: JetStreamManager,
  definition: StreamDefinition,
  replicas: number,
): Promise<StreamInfo> {
  const config = streamConfig(definition, replicas);
  try {
    const info = await manager.streams.add(config);
    return differs(info.config, config) ? await manager.streams.update(config.name, config) : info;
  } catch (error) {
    const exists = error instanceof JetStreamApiError && [NAME_IN_USE, SUBJECTS_OVERLAP].includes(error.code);
    if (!exists) throw error;
    // When another stream owns the subjects, no stream of this name exists to update.
    return await manager.streams.update(config.name, config).catch((reason: unknown) => {
      throw isStreamNotFound(reason) ? error : reason;
    });
  }
}

/**
 * Creates the stream of dead letters, which no single service owns. A caller that knows the number of replicas applies it; other
 * callers create the stream only when it is missing. A caller without permission leaves it to the others.
 */
export async function prepareDeadLetters(manager: JetStreamManager, replicas: number | undefined): Promise<void> {
  const { deadLetters } = STREAMS;
  try {
    if (replicas === undefined) await manager.streams.info(deadLetters.name);
    else await ensureStream(manager, deadLetters, replicas);
  } catch (error) {
    if (isPermissionViolation(error)) return;
    if (!isStreamNotFound(error)) throw error;
    await prepareDeadLetters(manager, 1);
  }
}

/** Returns the management API of a connection, without the round trip that checks for JetStream. */
export function managerOf(connection: NatsConnection): Promise<JetStreamManager> {
  return jetstreamManager(connection, { checkAPI: false, timeout: API_TIMEOUT_MS });
}

export function isStreamNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}

/** JetStream errors "no suitable peers for placement" and "replicas > 1 not supported in non-clustered mode". */
const TOO_FEW_SERVERS = new Set([10005, 10074]);

/** Returns true when a stream cannot have its number of replicas: too few servers exist or are up. */
export function wantsMoreServers(error: unknown): boolean {
  return error instanceof JetStreamApiError && TOO_FEW_SERVERS.has(error.code);
}

function streamConfig(definition: StreamDefinition, replicas: number) {
  return {
    name: definition.name,
    subjects: [...definition.subjects],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos(definition.maxAgeMs),
    duplicate_window: nanos(definition.duplicateWindowMs),
    num_replicas: replicas,
  } satisfies Partial<StreamConfig>;
}

function differs(current: StreamConfig, wanted: ReturnType<typeof streamConfig>): boolean {
  return (
    current.max_age !== wanted.max_age ||
    current.duplicate_window !== wanted.duplicate_window ||
    current.num_replicas !== wanted.num_replicas ||
    current.subjects.join() !== wanted.subjects.join()
  );
}

/** Returns true when a NATS subject matches a pattern, in which `*` is one token and a final `>` one or more. */
export function matchesSubject(pattern: string, subject: string): boolean {
  const wanted = pattern.split(".");
  const tokens = subject.split(".");
  for (const [index, token] of wanted.entries()) {
    if (token === ">") return tokens.length > index;
    if (tokens[index] === undefined || (token !== "*" && token !== tokens[index])) return false;
  }
  return wanted.length === tokens.length;
}
