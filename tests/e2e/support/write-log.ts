import pg from "pg";

/** What the database itself saw of writes to the two projections and of the way of events out of the two outboxes. */
export interface WriteLog {
  /** The database's time. */
  now(): Promise<Date>;
  /** Writes that set a row to the versions that it had been set to before: something was applied twice. */
  repeated(): Promise<number>;
  /** Rows of either projection that differ from their source. */
  differing(): Promise<number>;
  /** Events written until then, by either service, that JetStream has not acknowledged. */
  unpublished(until: Date): Promise<number>;
  /** Returns the number of events whose publication took longer than `seconds`. */
  late(seconds: number): Promise<number>;
  close(): Promise<void>;
}

const SET_UP = `
  create table write_log (projection text, id uuid, versions text);
  create function log_write() returns trigger language plpgsql security definer as $$
  begin
    insert into public.write_log
    select tg_table_name, new.id, string_agg(to_jsonb(new) ->> name, '/') from unnest(tg_argv) as name;
    return new;
  end $$;
  create trigger log_write after insert or update on users.users
    for each row execute function log_write('account_version', 'deletion_version', 'version');
  create trigger log_write after update of profile_version on auth.accounts
    for each row execute function log_write('profile_version')`;

const OUTBOXES = "(select * from auth.outbox union all select * from users.outbox)";

/** @param ownerUrl the database's owner, who alone sees both schemas */
export async function createWriteLog(ownerUrl: string): Promise<WriteLog> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  await client.query(SET_UP);

  async function count(from: string, values: unknown[] = []): Promise<number> {
    const { rows } = await client.query<{ count: string }>(`select count(*) from ${from}`, values);
    return Number(rows[0]?.count);
  }

  return {
    now: async () => (await client.query<{ now: Date }>("select clock_timestamp() as now")).rows[0]?.now as Date,
    repeated: () =>
      count("(select from write_log group by projection, id, versions having count(*) > 1) as repeated_writes"),
    differing: () =>
      count(`auth.accounts full join users.users using (id)
        where (accounts.version, accounts.email) is distinct from (users.account_version, users.email)
          or accounts.full_name is distinct from users.full_name`),
    unpublished: (until) => count(`${OUTBOXES} where published_at is null and created_at <= $1`, [until]),
    late: (seconds) => count(`${OUTBOXES} where published_at > created_at + make_interval(secs => $1)`, [seconds]),
    close: () => client.end(),
  };
}
