import type { StreamDefinition } from "@gatehouse/contracts";
import type { Logger } from "@gatehouse/observability";
import type { Kysely } from "kysely";
import type { Bus } from "../bus.ts";
import type { MessagingTables } from "../tables/messaging.table.ts";

export interface RelayOptions<T extends MessagingTables> {
  readonly db: Kysely<T>;
  readonly bus: Bus;
  /** Where this service's events go. */
  readonly stream: StreamDefinition;
  readonly replicas: number;
  readonly logger: Logger;
  /** How long published rows stay, in case the stream is lost: one access-token lifetime and 5 minutes. */
  readonly retentionSeconds: number;
  /** Publishes `auth.watermark` each second (design, "Revocation"); auth only. */
  readonly watermarks?: { readonly source: "auth" } | undefined;
}

export interface RelayStatus {
  readonly connected: boolean;
  /** Rows that JetStream acknowledged since the start. */
  readonly published: number;
  /** Publishes that were not acknowledged; their rows are tried again. */
  readonly failed: number;
  /** RFC 3339: the `as_of` of the last watermark that this relay published. */
  readonly lastWatermark: string | undefined;
}

export interface Relay {
  /** There are new rows: publish now. Cheap, never throws, may be called any number of times. */
  wake(): void;
  /** Stops after what is in hand. */
  close(): Promise<void>;
  status(): RelayStatus;
}

export function startRelay<T extends MessagingTables>(_options: RelayOptions<T>): Relay {
  throw new Error("not written yet");
}
