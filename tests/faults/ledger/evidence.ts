import { type GatehouseEvent, STREAMS } from "@gatehouse/contracts";
import { connectDatabase, type StoredMessage } from "@gatehouse/test-kit/system";
import type { BusMessages } from "../bus-messages.ts";
import type { Consumers } from "../consumers.ts";
import type { Entry, Journal } from "../load/client.ts";

/** Everything that is recorded at the end of a run. */
export interface Evidence {
  readonly auth: {
    readonly accounts: readonly AccountRow[];
    /** With the account's version at its end. */
    readonly tombstones: readonly Row[];
    readonly sessions: readonly { id: string; user_id: string; ended: boolean; reason: string | null }[];
    readonly tokens: readonly { id: string; session_id: string; revoked: boolean; replaced_by: string | null }[];
    readonly outbox: readonly OutboxRow[];
  };
  readonly user: {
    readonly users: readonly UserRow[];
    readonly tombstones: readonly Row[];
    readonly outbox: readonly OutboxRow[];
  };
  /** The messages of both services' streams, without watermarks. */
  readonly messages: readonly Message[];
  /** Dead letters, with the place of the message. */
  readonly letters: readonly (Place & { readonly consumer: string; readonly error: string })[];
  readonly applied: readonly { readonly consumer: string; readonly event_id: string }[];
  readonly journal: readonly Entry[];
  /** Nats-Msg-Ids of the harness's own messages. */
  readonly repeated: ReadonlySet<string>;
  readonly malformed: ReadonlySet<string>;
}

type Row = Readonly<{ id: string; version: number }>;
type Facts = Readonly<{ email: string; role: string; is_active: boolean; is_verified: boolean }>;
export type AccountRow = Row &
  Facts &
  Readonly<{ full_name: string | null; created_at: Date; deleted_at: Date | null }>;
export type UserRow = AccountRow & Readonly<{ account_version: number; is_registered: boolean }>;
export type OutboxRow = Readonly<{ id: string; published: boolean; event: GatehouseEvent }>;
type Place = Pick<StoredMessage, "stream" | "sequence" | "subject">;
/** The event is undefined for a malformed message. */
export type Message = Place & Readonly<{ messageId: string; event: GatehouseEvent | undefined }>;

const OUTBOX = "select id, published_at is not null as published, payload as event from";

export async function collectEvidence(
  ownerUrl: string,
  { database }: Consumers,
  messages: BusMessages,
  { entries: journal }: Journal,
): Promise<Evidence> {
  await using client = await connectDatabase(ownerUrl);
  const rows = async <T>(sql: string) => (await client.query(sql)).rows as T[];
  return {
    auth: {
      accounts: await rows("select * from auth.accounts"),
      tombstones: await rows("select id, version from auth.tombstones"),
      sessions: await rows("select id, user_id, ended_at is not null as ended, reason from auth.sessions"),
      tokens: await rows(
        "select id, session_id, revoked_at is not null as revoked, replaced_by from auth.refresh_tokens",
      ),
      outbox: await rows(`${OUTBOX} auth.outbox`),
    },
    user: {
      users: await rows("select * from users.users"),
      tombstones: await rows("select id, version from users.tombstones"),
      outbox: await rows(`${OUTBOX} users.outbox`),
    },
    messages: (await messages.readEvents()).map(toMessage),
    letters: (await messages.read(STREAMS.deadLetters.name)).map(readLetter),
    applied: await database.db.selectFrom("applied").selectAll().execute(),
    ...{ journal, repeated: messages.repeated, malformed: messages.malformed },
  };
}

function toMessage(message: StoredMessage): Message {
  const { stream, sequence, subject, messageId } = message;
  let event: GatehouseEvent | undefined;
  try {
    ({ event } = message);
  } catch {
    // It is malformed.
  }
  return { stream, sequence, subject, messageId, event };
}

function readLetter({ headers }: StoredMessage): Evidence["letters"][number] {
  const header = (name: string) => headers[`Gatehouse-${name}`] ?? "";
  const [consumer, error] = [header("Consumer"), header("Error")];
  return {
    consumer,
    stream: header("Stream"),
    sequence: Number(header("Sequence")),
    subject: header("Subject"),
    error,
  };
}
