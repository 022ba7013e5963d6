import { describe, expect, test } from "vitest";
import { summarize } from "../../src/telemetry/summarize.ts";

describe("summarize", () => {
  test.each([
    [`select * from "accounts" where "id" = $1`, "SELECT accounts"],
    [`insert into "sessions" ("id", "user_id") values ($1, $2) returning *`, "INSERT sessions"],
    [`insert into users (id) values ($1) on conflict (id) do update set name = excluded.name`, "INSERT users"],
    [`update "accounts" set "email" = $1, "version" = $2 where "id" = $3`, "UPDATE accounts"],
    [`delete from only "sessions" where "id" = $1`, "DELETE sessions"],
    [`select a.id from accounts as a inner join sessions s on s.user_id = a.id`, "SELECT accounts sessions"],
    [`select 1 from accounts a, sessions as s order by a.id, s.id`, "SELECT accounts sessions"],
    [`select "users".* from "users" for no key update of "users" skip locked`, "SELECT users"],
    [`delete from a where id in (select id from b limit $1 for update skip locked)`, "DELETE a SELECT b"],
    [`insert into archive select * from orders`, "INSERT archive SELECT orders"],
    [`select "update", "from" from "select"`, "SELECT select"],
    [`select 1 from audit."Log" where note = 'from here' -- from there`, "SELECT audit.Log"],
    [`(select id from a) union all (select id from b)`, "SELECT a SELECT b"],
    [`select extract(epoch from made_at) from things where name is distinct from $1`, "SELECT things"],
    [`select * from unnest($1::uuid[]) as given (id) join lateral (select 1 from things) t on true`, "SELECT things"],
    [`merge into a using b on a.id = b.id when matched then update set x = b.x`, "MERGE a b"],
    [`select pg_advisory_xact_lock(hashtextextended($1, 0))`, "SELECT pg_advisory_xact_lock"],
    [`select 1`, "SELECT"],
    [`begin`, "BEGIN"],
    [`commit`, "COMMIT"],
    [`rollback to "savepoint_1"`, "ROLLBACK"],
    [`  set local lock_timeout = '1s'`, "SET"],
    ["", "_OTHER"],
  ])("names %s", (statement, summary) => {
    expect(summarize(statement).summary).toBe(summary);
  });

  test("ignores names of `with` and uses the verb of the whole statement", () => {
    const statement = `
      with due as materialized (select id from outbox where published_at is null for update skip locked),
      "late"("id") as (select id from due)
      update outbox set claimed_until = now() from due cross join late where outbox.id = due.id returning outbox.id`;
    expect(summarize(statement)).toMatchObject({
      summary: "SELECT outbox UPDATE outbox",
      operation: "UPDATE",
      collection: "outbox",
    });
  });

  test("has no collection for several tables", () => {
    expect(summarize("select 1 from a join b using (id)")).toMatchObject({
      operation: "SELECT",
      collection: undefined,
    });
  });

  test("prefixes tables with the schema, but not the server's catalog", () => {
    const statement = `select 1 from "accounts" join audit.log on true join pg_class on true`;
    expect(summarize(statement, "auth").summary).toBe("SELECT auth.accounts audit.log pg_class");
  });
});

describe("summarize: text", () => {
  test.each([
    ["where email = 'o''hara@example.com' and id = $1", "where email = ? and id = $1"],
    [String.raw`where name = E'O\'Hara' and x`, "where name = ? and x"],
    ["where name = $$O'Hara$$ and tag = $t$ $$ $t$ and id = $2", "where name = ? and tag = ? and id = $2"],
    [`select "it's" /* 'it''s' */ from t`, `select "it's"   from t`],
    ["where name = 'cut", "where name = ?"],
  ])("keeps placeholders and replaces constants: %s", (statement, text) => {
    expect(summarize(statement).text).toBe(text);
  });

  test("truncates a long statement", () => {
    const rows = Array.from({ length: 20_000 }, (_, index) => `($${index + 1})`);
    const { summary, text } = summarize(`insert into things (id) values ${rows.join(", ")}`);
    expect(summary).toBe("INSERT things");
    expect(text).toHaveLength(4_000);
  });
});
