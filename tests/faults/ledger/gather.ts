import { parseEvent, type GatehouseEvent, STREAMS } from "@gatehouse/contracts";
import pg from "pg";
import type { LedgerDatabase } from "../consumers/ledger-database.ts";
import type { Mischief } from "../course/mischief.ts";
import type { Journal } from "../load/journal.ts";
import type { AccountRow, Evidence, OutboxRow, SessionRow, TokenRow, TombstoneRow, UserRow } from "./evidence.ts";
import type { StoredMessage } from "./read-stream.ts";

const OUTBOX = "id, published_at is not null as published, payload as event";

/** Puts together what the databases, the streams and the clients have on record. */
export async function gather(options: {
  ownerUrl: string;
  database: LedgerDatabase;
  mischief: Mischief;
  journal: Journal;
}): Promise<Evidence> {
  const { mischief, database, journal } = options;
  const client = new pg.Client({ connectionString: options.ownerUrl });
  await client.connect();
  const rows = async <T>(sql: string) => (await client.query(sql)).rows as T[];
  try {
    const auth = {
      accounts: await rows<AccountRow>("select * from auth.accounts"),
      tombstones: await rows<TombstoneRow>("select id, version from auth.tombstones"),
      sessions: await rows<SessionRow>("select id, user_id, ended_at is not null as ended, reason from auth.sessions"),
      tokens: await rows<TokenRow>(
        "select id, session_id, revoked_at is not null as revoked, replaced_by from auth.refresh_tokens",
      ),
      outbox: await rows<OutboxRow>(`select ${OUTBOX} from auth.outbox`),
    };
    const user = {
      users: await rows<UserRow>("select * from users.users"),
      tombstones: await rows<TombstoneRow>("select id, version from users.tombstones"),
      outbox: await rows<OutboxRow>(`select ${OUTBOX} from users.outbox`),
    };
    const stored = [...(await mischief.read(STREAMS.auth.name)), ...(await mischief.read(STREAMS.user.name))];
    return {
      auth,
      user,
      messages: stored
        .filter(({ subject }) => subject !== "auth.watermark")
        .map((message) => ({ ...message, event: eventIn(message) })),
      letters: (await mischief.read(STREAMS.deadLetters.name)).map(readLetter),
      applied: await database.db.selectFrom("applied").select(["consumer", "event_id"]).execute(),
      journal: journal.entries,
      repeated: mischief.repeated,
      malformed: mischief.malformed,
    };
  } finally {
    await client.end();
  }
}

function eventIn({ data }: StoredMessage): GatehouseEvent | undefined {
  try {
    return parseEvent(JSON.parse(Buffer.from(data).toString()));
  } catch {
    return undefined;
  }
}

function readLetter({ headers }: StoredMessage) {
  const header = (name: string) => headers?.get(`Gatehouse-${name}`) ?? "";
  return {
    consumer: header("Consumer"),
    stream: header("Stream"),
    sequence: Number(header("Sequence")),
    subject: header("Subject"),
    error: header("Error"),
  };
}
