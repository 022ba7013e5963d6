import { sql } from "kysely";
import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "./commands.ts";
import type { Answered } from "./explain.ts";
import type { Names } from "./names.ts";
import { perform } from "./perform.ts";
import type { Step } from "./steps.ts";
import type { System } from "./system.ts";

/** The longest wait for all commands to block. A command that waits for no lock, such as a hash, must not delay the others. */
const MAX_WAIT_MS = 50;

/** Performs commands simultaneously and returns all their answers. */
export async function together(
  system: System,
  names: Names,
  commands: readonly Command[],
  held: Step["held"],
): Promise<Answered[]> {
  let answered = 0;
  const start = () =>
    Promise.all(
      commands.map(async (command) => {
        const answer = await perform(system, names, command);
        answered += 1;
        return { command, answer };
      }),
    );
  if (commands.length === 1 || held === "nothing") return start();
  const { started } = await system.db.transaction().execute(async (trx) => {
    const userIds = [...names.users.values()];
    if (held === "account") await sql`select from accounts where id = any(${userIds}) for update`.execute(trx);
    else await sql`select from sessions where user_id = any(${userIds}) for update`.execute(trx);
    const started = start();
    started.catch(() => undefined);
    await waitUntilBlocked(system, () => commands.length - answered);
    return { started };
  });
  return started;
}

/** Waits until every unanswered command waits for a lock, for at most MAX_WAIT_MS. */
async function waitUntilBlocked({ db }: System, unanswered: () => number): Promise<void> {
  const end = performance.now() + MAX_WAIT_MS;
  for (;;) {
    const { rows } = await sql<{ waiting: number }>`
      select count(*)::int as waiting from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
    if ((rows[0]?.waiting ?? 0) >= unanswered() || performance.now() > end) return;
    await pause(1);
  }
}
