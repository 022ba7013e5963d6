import { createEvent } from "@gatehouse/messaging";
import type { UserTransact } from "../db/database.ts";
import { type Known, lockKnown, setKnown } from "../repositories/user-record.repository.ts";
import type { User } from "../repositories/user.repository.ts";
import type { Announcement, Change } from "./user-rules.ts";

/** The one way in which users are written. */
export interface UserLedger {
  /**
   * Applies a rule to what is held of `id` and announces what came of it, in one transaction that no other writer of
   * that id runs beside. `actor`: the id of who is behind the change.
   * @returns the user after the change; undefined when there is none
   */
  change(id: string, actor: string | undefined, rule: (known: Known) => Change): Promise<User | undefined>;
}

export function createUserLedger(transact: UserTransact): UserLedger {
  return {
    change: (id, actor, rule) =>
      transact(async (trx, emit) => {
        const before = await lockKnown(trx, id);
        const { known, announcements } = rule(before);
        await setKnown(trx, id, before, known);
        for (const announcement of announcements) emit(toEvent(id, announcement, actor));
        return known.user;
      }),
  };
}

function toEvent(id: string, { type, version, data }: Announcement, actor: string | undefined) {
  return createEvent({ source: "user", type, subject: id, version, data, ...(actor !== undefined && { actor }) });
}
