import type { GatehouseEvent } from "@gatehouse/contracts";
import type { Entry } from "../load/journal.ts";

/** All that is on record when everything has come to rest; plain data, so that what it means can be tested. */
export interface Evidence {
  readonly auth: {
    readonly accounts: readonly AccountRow[];
    readonly tombstones: readonly TombstoneRow[];
    readonly sessions: readonly SessionRow[];
    readonly tokens: readonly TokenRow[];
    readonly outbox: readonly OutboxRow[];
  };
  readonly user: {
    readonly users: readonly UserRow[];
    readonly tombstones: readonly TombstoneRow[];
    readonly outbox: readonly OutboxRow[];
  };
  /** What the streams of both services hold, watermarks aside. */
  readonly messages: readonly Message[];
  readonly letters: readonly Letter[];
  readonly applied: readonly { readonly consumer: string; readonly event_id: string }[];
  readonly journal: readonly Entry[];
  /** Nats-Msg-Ids of what the harness itself published. */
  readonly repeated: ReadonlySet<string>;
  readonly malformed: ReadonlySet<string>;
}

interface Facts {
  readonly email: string;
  readonly role: string;
  readonly is_active: boolean;
  readonly is_verified: boolean;
}

export interface AccountRow extends Facts {
  readonly id: string;
  readonly full_name: string | null;
  readonly version: number;
  readonly created_at: Date;
  readonly deleted_at: Date | null;
}

export interface UserRow extends Facts {
  readonly id: string;
  readonly full_name: string | null;
  readonly account_version: number;
  readonly version: number;
  readonly is_registered: boolean;
  readonly created_at: Date;
  readonly deleted_at: Date | null;
}

/** `version` is the account's at its end. */
export interface TombstoneRow {
  readonly id: string;
  readonly version: number;
}

export interface SessionRow {
  readonly id: string;
  readonly user_id: string;
  readonly ended: boolean;
  readonly reason: string | null;
}

export interface TokenRow {
  readonly id: string;
  readonly session_id: string;
  readonly revoked: boolean;
  readonly replaced_by: string | null;
}

export interface OutboxRow {
  readonly id: string;
  readonly published: boolean;
  readonly event: GatehouseEvent;
}

export interface Message {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  readonly messageId: string;
  /** Undefined when it is none. */
  readonly event: GatehouseEvent | undefined;
}

/** A dead letter: which consumer gave up on which message. */
interface Letter {
  readonly consumer: string;
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  readonly error: string;
}

/** Everything that was written, of both services. */
export function writtenEvents({ auth, user }: Evidence): OutboxRow[] {
  return [...auth.outbox, ...user.outbox];
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  return Map.groupBy(items, keyOf);
}
