import { newId } from "@gatehouse/contracts";
import { createEvent, createTransact, type Relay } from "@gatehouse/messaging";
import type { Kysely } from "kysely";
import { setTimeout as pause } from "node:timers/promises";
import type { BenchTables } from "./tables.ts";

/** How many users one transaction changes, and how many transactions run side by side. */
const A_TRANSACTION = 50;
const WRITERS = 2;

interface SourceOptions {
  readonly db: Kysely<BenchTables>;
  readonly relay: Pick<Relay, "wake">;
  readonly versions: number;
}

/** Inserts the users, at version 0, which no event tells of. @returns their ids */
export async function insertSources(db: Kysely<BenchTables>, users: number): Promise<string[]> {
  const ids = Array.from({ length: users }, () => newId());
  for (let from = 0; from < users; from += 5_000) {
    const rows = ids.slice(from, from + 5_000).map((id) => ({ id, version: 0, full_name: "" }));
    await db.insertInto("sources").values(rows).execute();
  }
  return ids;
}

/**
 * Raises every user to version `versions`, step by step, each step with its event in the same transaction. A transaction whose outcome was
 * lost is tried again, and changes only what it had not changed.
 */
export async function writeEvents(options: SourceOptions, ids: readonly string[]): Promise<void> {
  const transact = createTransact(options);

  async function writeStep(group: readonly string[], version: number): Promise<void> {
    const name = `Name ${version}`;
    await transact(async (trx, emit) => {
      const changed = await trx
        .updateTable("sources")
        .set({ version, full_name: name })
        .where("id", "in", group)
        .where("version", "=", version - 1)
        .returning("id")
        .execute();
      for (const { id } of changed) {
        const data = { user_id: id, full_name: name, changed: ["full_name"] };
        emit(createEvent({ source: "user", type: "user.profile.updated", subject: id, version, data }));
      }
    });
  }

  async function persist(group: readonly string[], version: number): Promise<void> {
    for (;;) {
      try {
        return await writeStep(group, version);
      } catch {
        // A connection was cut. Whether the commit took place shows when it is tried again.
        await pause(50);
      }
    }
  }

  const groups = Array.from({ length: Math.ceil(ids.length / A_TRANSACTION) }, (_, index) =>
    ids.slice(index * A_TRANSACTION, (index + 1) * A_TRANSACTION),
  );
  for (let version = 1; version <= options.versions; version += 1) {
    const left = groups.values();
    const writer = async () => {
      for (const group of left) await persist(group, version);
    };
    await Promise.all(Array.from({ length: WRITERS }, writer));
  }
}
