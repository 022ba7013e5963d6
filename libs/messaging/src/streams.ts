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
/** JetStream: "stream name already in use", with another configuration. */
const NAME_IN_USE = 10058;
/** JetStream: "subjects overlap with an existing stream"; also what it says of a stream that somebody is making at this moment. */
const SUBJECTS_OVERLAP = 10065;

/**
 * Creates the streams that are missing and updates those that differ from their definition. Safe to repeat, and from several
 * processes at once. Works on nats-server from 2.9 on.
 * @throws when there is no connection, or JetStream refuses
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

/** As ensureStreams, for one stream. @returns what the server has now */
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
    const isThere = error instanceof JetStreamApiError && [NAME_IN_USE, SUBJECTS_OVERLAP].includes(error.code);
    if (!isThere) throw error;
    // When it is another stream that has the subjects, there is none of this name to update.
    return await manager.streams.update(config.name, config).catch((reason: unknown) => {
      throw isStreamNotFound(reason) ? error : reason;
    });
  }
}

/**
 * Sees to the stream of the dead letters, which belongs to no one service: who knows how many copies it shall have makes it
 * so, and anybody else makes it only when there is none. Whoever may not leaves it to the others.
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

/** The management API on one connection, without the round trip that asks whether JetStream is there. */
export function managerOf(connection: NatsConnection): Promise<JetStreamManager> {
  return jetstreamManager(connection, { checkAPI: false, timeout: API_TIMEOUT_MS });
}

export function isStreamNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}

/** JetStream: "no suitable peers for placement", and "replicas > 1 not supported in non-clustered mode". */
const TOO_FEW_SERVERS = new Set([10005, 10074]);

/** True when a stream cannot have so many copies: there are fewer servers, or some of them are away. */
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

function differs(present: StreamConfig, wanted: ReturnType<typeof streamConfig>): boolean {
  return (
    present.max_age !== wanted.max_age ||
    present.duplicate_window !== wanted.duplicate_window ||
    present.num_replicas !== wanted.num_replicas ||
    present.subjects.join() !== wanted.subjects.join()
  );
}
